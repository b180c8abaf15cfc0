"""The edges of a graph, as the schedule counts them."""

from turgo import flow, task
from turgo.engine.schedule.edges import edges_of


@task
def one(value=0):
    return value


def edges(body):
    graph = flow(body).record()
    return edges_of(graph.nodes, ())


def test_consumers_wait_for_a_whole_node_and_followers_for_its_elements():
    """A map over a map follows it; everything else consumes."""

    def body():
        spread = one.map(range(3))
        one(spread)
        one.map(spread)

    found = edges(body)
    assert found.consumers == [[1], [], []] and found.followers == {0: [2]}


def test_a_value_is_used_by_those_that_take_it_and_not_by_those_that_come_after():
    """`after` orders without taking; the flow that returns a value uses it too."""

    def body():
        first = one()
        one(first)
        one.after(first)()

    assert edges(body).uses == [1, 0, 0]
    graph = flow(body).record()
    assert edges_of(graph.nodes, [0]).uses == [2, 0, 0]

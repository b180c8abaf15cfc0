"""Graphs put together by hand are checked before they run."""

from pathlib import Path

import pytest

from turgo import task
from turgo.engine.run import prepare_run
from turgo.errors import CycleError, GraphError
from turgo.flows.graph import Graph, Node
from turgo.registry.source_files import load_source
from turgo.worker.arguments import RESULTS

InlineExecutor = load_source(Path(__file__).parents[1] / "inline_executor.py").InlineExecutor


@task
def first(value=0):
    return value


def graph(*upstreams):
    """Nodes that each depend on the given others."""
    nodes = [Node(at, first, RESULTS, depends, {}, depends) for at, depends in enumerate(upstreams)]
    return Graph("made", nodes)


def test_a_circle_is_refused_and_shown():
    """Before anything runs, with the names of the tasks in it."""
    with pytest.raises(CycleError, match="first -> first"):
        prepare_run(graph((1,), (0,)), InlineExecutor()).go()
    with pytest.raises(CycleError):
        graph((0,)).check()


def test_an_unknown_node_is_refused():
    """A node can depend only on those of its own graph."""
    with pytest.raises(GraphError, match="depends on node 7"):
        graph((7,)).check()


def test_nodes_out_of_order_are_refused():
    """Nodes come after those they depend on."""
    with pytest.raises(GraphError, match="order"):
        graph((1,), ()).check()


def test_a_graph_in_order_passes():
    """Nothing to say."""
    graph((), (0,), (0, 1)).check()

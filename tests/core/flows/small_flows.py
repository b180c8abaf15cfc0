"""Two tasks, and what is recorded of a flow: what several modules of tests record."""

from turgo import flow, task


@task
def one():
    return 1


@task
def add(first, second=0, *, third=0):
    return first + second + third


def recorded(body):
    """The graph of a flow with this body."""
    return flow(body).record()

"""The functions, flows and graphs that are run: no-ops mapped, layers, a chain, and work of a known length.

They are plain functions of a module, as every library pickles such by name: none is at a disadvantage. What runs on
a worker is here and nowhere else, as a worker has to import it from a module that needs little.
"""

from __future__ import annotations

import time
from typing import Any

from turgo import flow, task, unmapped

Graph = dict[Any, Any]
"""A graph as dask takes it."""


def noop(x: Any) -> Any:
    """Nothing."""
    return x


def of_three(a: Any, b: Any, c: Any) -> Any:
    """Nothing, of three."""
    return a


def doze(seconds: float) -> float:
    """Sleep."""
    time.sleep(seconds)
    return seconds


def doze_after(seconds: float, *before: Any) -> float:
    """Sleep, once what it needs is there."""
    return doze(seconds)


def spin(turns: int) -> int:
    """Work for the processor: so many turns of a loop."""
    total = 0
    for turn in range(turns):
        total += turn
    return total


def spin_on(turns: int, *before: Any) -> int:
    """The same, of values that it needs and does not look at."""
    return spin(turns)


def calibrated_turns(seconds: float) -> int:
    """How many turns `spin` makes in so many seconds, at the best speed of this machine."""
    turns = 200_000
    best = float("inf")
    for _ in range(7):
        began = time.perf_counter()
        spin(turns)
        best = min(best, time.perf_counter() - began)
    return int(turns * seconds / best)


def noops(arguments: range) -> list[Any]:
    """Many of them, as one does who batches by hand."""
    return [noop(argument) for argument in arguments]


def dozes(seconds: list[float]) -> list[float]:
    """Many naps one after the other, as one does who batches by hand."""
    return [doze(each) for each in seconds]


def spins(turns: list[int]) -> list[int]:
    """The same for `spin`."""
    return [spin(each) for each in turns]


def array(seed: int) -> Any:
    """An array of 8 MiB."""
    import numpy as np  # late: nothing else here needs it, and what is measured first is to be undisturbed

    return np.full(2**20, float(seed))


def total(values: Any) -> float:
    """The sum of an array."""
    return float(values.sum())


def table() -> Any:
    """A table of 8 MiB."""
    import numpy as np  # late, as above

    return np.arange(2**20, dtype=float)


def look_up(index: int, table: Any) -> float:
    """An entry of a table."""
    return float(table[index])


noop_task, of_three_task, doze_task, spin_task = task(noop), task(of_three), task(doze), task(spin)
array_task, total_task, look_up_task = task(array), task(total), task(look_up)
spin_on_task, doze_after_task = task(spin_on), task(doze_after)


@flow
def mapped(n: int) -> Any:
    """n no-ops, none of which needs another."""
    return noop_task.map(range(n))


@flow
def layered(layers: int, width: int) -> Any:
    """Layers of no-ops, each on three of the layer above."""
    row: list[Any] = [noop_task(at) for at in range(width)]
    for _ in range(layers - 1):
        trios = [above(at, width) for at in range(width)]
        row = [of_three_task(row[a], row[b], row[c]) for a, b, c in trios]
    return row


@flow
def chained(n: int) -> Any:
    """n no-ops, each on the one before."""
    value: Any = 0
    for _ in range(n):
        value = noop_task(value)
    return value


@flow
def dozing(n: int, seconds: float) -> Any:
    """n naps."""
    return doze_task.map([seconds] * n)


@flow
def spinning(n: int, turns: int) -> Any:
    """n calls that keep a processor busy."""
    return spin_task.map([turns] * n)


@flow
def stencil(width: int, steps: int, turns: int) -> Any:
    """Steps of a row of points, each of which needs itself and its neighbours of the step before."""
    row: list[Any] = [spin_on_task(turns) for _ in range(width)]
    for _ in range(steps - 1):
        row = [spin_on_task(turns, *row[max(0, at - 1) : at + 2]) for at in range(width)]
    return row


@flow
def sums(n: int) -> Any:
    """n arrays, each summed."""
    return total_task.map(array_task.map(range(n)))


@flow
def sums_apart(n: int) -> Any:
    """n arrays, all of which are there before the first is summed."""
    arrays = array_task.map(range(n))
    return total_task.after(arrays).map(arrays)


@flow
def looked_up(n: int) -> Any:
    """n entries of one table."""
    return look_up_task.map(range(n), table=unmapped(table()))


def above(at: int, width: int) -> tuple[int, int, int]:
    """The three of the layer above that one depends on."""
    return at, (at + 1) % width, (at + 7) % width


def mapped_graph(n: int, name: str = "n") -> tuple[Graph, list[Any]]:
    """`mapped` as a graph for dask, with the keys of its results."""
    return {(name, at): (noop, at) for at in range(n)}, [(name, at) for at in range(n)]


def layered_graph(layers: int, width: int, name: str = "l") -> tuple[Graph, list[Any]]:
    """`layered` as a graph for dask, with the keys of its results."""
    graph: Graph = {(name, 0, at): (noop, at) for at in range(width)}
    for layer in range(1, layers):
        for at in range(width):
            graph[name, layer, at] = (of_three, *((name, layer - 1, up) for up in above(at, width)))
    return graph, [(name, layers - 1, at) for at in range(width)]


def chained_graph(n: int, name: str = "c") -> tuple[Graph, Any]:
    """`chained` as a graph for dask, with the key of its result."""
    graph: Graph = {(name, 0): (noop, 0)}
    graph.update({(name, at): (noop, (name, at - 1)) for at in range(1, n)})
    return graph, (name, n - 1)


def stencil_graph(width: int, steps: int, turns: int, name: str = "s") -> tuple[Graph, list[Any]]:
    """`stencil` as a graph for dask, with the keys of its results."""
    graph: Graph = {(name, 0, at): (spin_on, turns) for at in range(width)}
    for step in range(1, steps):
        for at in range(width):
            above = range(max(0, at - 1), min(width, at + 2))
            graph[name, step, at] = (spin_on, turns, *((name, step - 1, up) for up in above))
    return graph, [(name, steps - 1, at) for at in range(width)]

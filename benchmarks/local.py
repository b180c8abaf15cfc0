"""The engine itself: the executor `local`, which adds nothing, beside a loop over `graphlib.TopologicalSorter`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from typing import Any

from benchmarks import work
from benchmarks.rows import Row, slower
from benchmarks.timing import side_by_side
from turgo.engine.run import prepare_run
from turgo.runner import Flow
from turgo_local import LocalExecutor

SUBJECT = "local"

SHOWN_LIMIT = 1.1
"""How many times as long a run with progress may take."""


def rows(quick: bool) -> Iterator[Row]:
    """Mapped and layered no-ops; the whole (recording the flow, running it), and the run alone."""
    rounds = 4 if quick else 11
    n = 100_000
    yield from _compare(f"{n:,} mapped no-ops", work.mapped, (n,), n, lambda: mapped_loop(n), 3, rounds)
    yield _shown(n, rounds * 5)
    layers, width = 50, 100
    what = f"{layers} layers x {width} no-ops, each on 3"
    yield from _compare(
        what,
        work.layered,
        (layers, width),
        layers * width,
        lambda: layered_loop(layers, width),
        2,
        rounds * 2,
    )


def _shown(n: int, rounds: int) -> Row:
    """What progress costs, as the script on a terminal has it that asks for it."""
    from turgo.observers.progress import ProgressObserver

    executor = LocalExecutor()
    with executor.start():
        shown, plain = side_by_side(
            lambda: work.mapped.run(n, executor=executor, observers=[ProgressObserver()]).result,
            lambda: work.mapped.run(n, executor=executor).result,
            rounds=rounds,
        )
    return slower(SUBJECT, f"{n:,} mapped no-ops with progress", shown / n, plain / n, "without", SHOWN_LIMIT)


def _compare(
    what: str,
    flow: Flow[..., Any],
    parameters: tuple[int, ...],
    tasks: int,
    loop: Callable[[], list[Any]],
    limit: float,
    rounds: int,
) -> Iterator[Row]:
    executor = LocalExecutor()
    graph = flow.record(*parameters)
    with executor.start():
        whole, alone, theirs = side_by_side(
            lambda: flow.run(*parameters, executor=executor).result,
            lambda: prepare_run(graph, executor).go().result,
            loop,
            rounds=rounds,
        )
    yield slower(SUBJECT, f"{what}: record and run", whole / tasks, theirs / tasks, "graphlib", limit)
    yield slower(SUBJECT, f"{what}: run alone", alone / tasks, theirs / tasks, "graphlib", limit)


def mapped_loop(n: int) -> list[Any]:
    """What one would write by hand: add the nodes, take those that are ready, call, keep the value, mark as done."""
    sorter: TopologicalSorter[int] = TopologicalSorter()
    for node in range(n):
        sorter.add(node)
    values: dict[int, Any] = {}
    sorter.prepare()
    while sorter.is_active():
        for node in sorter.get_ready():
            values[node] = work.noop(node)
            sorter.done(node)
    return [values[node] for node in range(n)]


def layered_loop(layers: int, width: int) -> list[Any]:
    """The same for layers."""
    sorter: TopologicalSorter[int] = TopologicalSorter()
    reads: dict[int, tuple[int, ...]] = {}
    for at in range(width):
        sorter.add(at)
    for layer in range(1, layers):
        first = (layer - 1) * width
        for at in range(width):
            needs = tuple(first + up for up in work.above(at, width))
            reads[layer * width + at] = needs
            sorter.add(layer * width + at, *needs)
    values: dict[int, Any] = {}
    sorter.prepare()
    while sorter.is_active():
        for node in sorter.get_ready():
            if node in reads:
                values[node] = work.of_three(*[values[need] for need in reads[node]])
            else:
                values[node] = work.noop(node)
            sorter.done(node)
    last = (layers - 1) * width
    return [values[last + at] for at in range(width)]

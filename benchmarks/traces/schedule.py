"""Schedules that are computed: what one reaches who knows the graph and not how long a task will take.

    list_schedule    the longest path first, by levels
    dask_schedule    in dask's order

Of the first: whenever a slot is free, the ready task from which most tasks follow one after the other begins; among
equals the one that was recorded first. No schedule that knows more is asked for here: levels are what any engine sees
beforehand.

It costs nothing, unless round trips are given: then what waits for a task is ready a trip after its end, as a scheduler
has to hear of it and a worker of the next, and one more is paid for the first and the last. A slot that is free while
something is ready pays none.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable

import dask.order

from benchmarks.traces.trace import Trace


def list_schedule(trace: Trace, slots: int, trip_seconds: float = 0.0) -> float:
    """Seconds that the trace takes on so many slots, longest path first by number of tasks."""
    index = {task.name: at for at, task in enumerate(trace.tasks)}
    missing = [len(set(task.parents)) for task in trace.tasks]
    children = [[index[name] for name in dict.fromkeys(trace.children[task.name])] for task in trace.tasks]
    urgency = [(-trace.levels[task.name], at) for at, task in enumerate(trace.tasks)]
    ready = [urgency[at] for at, count in enumerate(missing) if not count]
    heapq.heapify(ready)
    events: list[tuple[float, bool, int]] = []
    """What is to come: the end of a task, and that it was heard of."""
    free, now, last = slots, 0.0, 0.0
    while ready or events:
        while ready and free:
            _, at = heapq.heappop(ready)
            free -= 1
            heapq.heappush(events, (now + trace.tasks[at].seconds, False, at))
        now, heard, at = heapq.heappop(events)
        if not heard:
            free, last = free + 1, now
            if trip_seconds:
                heapq.heappush(events, (now + trip_seconds, True, at))
                continue
        for child in children[at]:
            missing[child] -= 1
            if not missing[child]:
                heapq.heappush(ready, urgency[child])
    return last + trip_seconds


def dask_schedule(trace: Trace, slots: int) -> float:
    """Seconds that the trace takes on so many slots as `dask.get` takes its tasks, if that costs nothing.

    Of those that are ready as it begins the first by `dask.order` goes first; after that those that became ready last.
    That order is not the same in every process: ties are broken by the hashes of texts.
    """
    index = {task.name: at for at, task in enumerate(trace.tasks)}
    places = dask.order.order({task.name: (max, 0.0, *task.parents) for task in trace.tasks})
    missing = [len(set(task.parents)) for task in trace.tasks]

    def last_first(names: Iterable[str]) -> list[int]:
        return [index[name] for name in sorted(names, key=places.__getitem__, reverse=True)]

    ready = last_first(task.name for task in trace.tasks if not task.parents)
    ends: list[tuple[float, int]] = []
    free, now = slots, 0.0
    while ready or ends:
        while ready and free:
            at = ready.pop()
            free -= 1
            heapq.heappush(ends, (now + trace.tasks[at].seconds, at))
        now, at = heapq.heappop(ends)
        free += 1
        for child in last_first(set(trace.children[trace.tasks[at].name])):
            missing[child] -= 1
            if not missing[child]:
                ready.append(child)
    return now

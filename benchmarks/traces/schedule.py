"""A list schedule, computed: what one reaches who knows the graph and not how long a task will take.

Whenever a slot is free, the ready task from which most tasks follow one after the other begins; among equals the one
that was recorded first. No schedule that knows more is asked for here: levels are what any engine can see beforehand.

It costs nothing, unless round trips are given: then what waits for a task is ready a trip after its end, as a scheduler
has to hear of it and a worker of the next, and one more is paid for the first and the last. A slot that is free while
something is ready pays none.
"""

from __future__ import annotations

import heapq

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

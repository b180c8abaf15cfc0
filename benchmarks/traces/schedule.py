"""A list schedule, computed: what one reaches who knows the graph and not how long a task will take.

Whenever a slot is free, the ready task from which most tasks follow one after the other begins; among equals the one
that was recorded first. No schedule that knows more is asked for here: levels are what any engine can see beforehand.
"""

from __future__ import annotations

import heapq

from benchmarks.traces.trace import Trace


def list_schedule(trace: Trace, slots: int) -> float:
    """Seconds that the trace takes on so many slots, longest path first by number of tasks."""
    index = {task.name: at for at, task in enumerate(trace.tasks)}
    missing = [len(set(task.parents)) for task in trace.tasks]
    children = [[index[name] for name in dict.fromkeys(trace.children[task.name])] for task in trace.tasks]
    urgency = [(-trace.levels[task.name], at) for at, task in enumerate(trace.tasks)]
    ready = [urgency[at] for at, count in enumerate(missing) if not count]
    heapq.heapify(ready)
    running: list[tuple[float, int]] = []
    now = 0.0
    while ready or running:
        while ready and len(running) < slots:
            _, at = heapq.heappop(ready)
            heapq.heappush(running, (now + trace.tasks[at].seconds, at))
        now, ended = heapq.heappop(running)
        for child in children[ended]:
            missing[child] -= 1
            if not missing[child]:
                heapq.heappush(ready, urgency[child])
    return now

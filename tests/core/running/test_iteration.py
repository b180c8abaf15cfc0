"""Iterating the task runs of a run as they end."""

import asyncio
import threading

from turgo.records.ledger import Ledger, MappedColumns
from turgo.records.states import CANCELLED, SUCCESS, TaskState
from turgo.records.task_run import TaskEvent
from turgo.records.task_runs import TaskRuns
from turgo.running.ended import Ended
from turgo.running.iteration import TAKEN_WITHOUT_PAUSE_RUNS, TaskRunsAsTheyEnd

LONG = 60.0  # seconds; what should take none


def over(width):
    """The ledger of a single call and a map, of which the last two elements were cancelled; and what was told of it."""
    ledger = Ledger(["find", "measure"], [None, None])
    ledger.states[0] = SUCCESS
    columns = ledger.mapped[1] = MappedColumns(width)
    columns.states[:] = bytes([SUCCESS] * (width - 2) + [CANCELLED] * 2)
    ended = Ended("census")
    ended.turgo_task_events(
        [
            TaskEvent("find", TaskState.SUCCESS, 1, 0),
            TaskEvent("measure", TaskState.SUCCESS, width - 3, 1, 1, width - 2),
            TaskEvent("measure", TaskState.SUCCESS, 1, 1, 0, 1),
            TaskEvent("measure", TaskState.CANCELLED, 2, 1),
        ]
    )
    return TaskRuns(ledger), ended


def labels_of(width):
    """In the order in which they ended."""
    elements = [*range(1, width - 2), 0, width - 2, width - 1]
    return ["find", *(f"measure[{index}]" for index in elements)]


def test_each_task_run_comes_once_in_the_order_of_their_ends():
    """Those that a run left over when it was cut short come last."""
    task_runs, ended = over(6)
    iterator = TaskRunsAsTheyEnd(task_runs, ended)
    first = [next(iterator).label for _ in range(6)]
    ended.close(None)
    assert [*first, *(each.label for each in iterator)] == labels_of(6)
    assert list(iterator) == []
    states = [each.state for each in TaskRunsAsTheyEnd(task_runs, ended)]
    assert states == [TaskState.SUCCESS] * 5 + [TaskState.CANCELLED] * 2


def test_threads_that_share_an_iterator_share_its_task_runs():
    """Each comes to one of them."""
    task_runs, ended = over(3000)
    iterator, taken = TaskRunsAsTheyEnd(task_runs, ended), []
    threads = [
        threading.Thread(target=lambda: taken.extend([each.label for each in iterator])) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    ended.close(None)
    for thread in threads:
        thread.join(LONG)
    assert len(taken) == 3001 and set(taken) == set(labels_of(3000))


def test_a_coroutine_that_finds_all_at_hand_leaves_turns_to_others():
    """Thousands of them would keep the loop busy."""
    task_runs, ended = over(4 * TAKEN_WITHOUT_PAUSE_RUNS)
    ended.close(None)
    turns = []

    async def other():
        while True:
            turns.append(len(labels))
            await asyncio.sleep(0)

    labels = []

    async def main():
        beside = asyncio.create_task(other())
        async for each in TaskRunsAsTheyEnd(task_runs, ended):
            labels.append(each.label)
        beside.cancel()

    asyncio.run(main())
    assert labels == labels_of(4 * TAKEN_WITHOUT_PAUSE_RUNS)
    assert len(set(turns)) >= 4

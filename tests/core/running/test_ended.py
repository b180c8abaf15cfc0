"""What has ended of a run, and who waits for more."""

import asyncio
import threading
import time

import pytest

from turgo.errors import RunError
from turgo.records.states import TaskState
from turgo.records.task_run import TaskEvent
from turgo.running.ended import NEXT_LOOK_SECONDS, Ended

LONG = 60.0  # seconds; what should take none

RUNNING = TaskEvent("measure", TaskState.RUNNING, 1, 0)
SUCCESS = TaskEvent("measure", TaskState.SUCCESS, 1, 0)


def test_what_only_begins_is_not_noted():
    """Nor what is to be tried again."""
    ended = Ended("census")
    retrying = TaskEvent("measure", TaskState.RETRYING, 1, 0)
    ended.turgo_task_events([RUNNING, retrying])
    assert ended.events == [] and not ended.beyond(0)
    ended.turgo_task_events([RUNNING, SUCCESS])
    assert ended.events == [SUCCESS] and ended.beyond(0) and not ended.beyond(1)


def test_what_is_not_told_yet_is_looked_at_once():
    """The bunch in which it is told comes later, and has more."""
    ended = Ended("census")
    failure = TaskEvent("measure", TaskState.FAILED, 1, 1)
    ended.pending.append(SUCCESS)
    assert ended.wait(0, LONG) and ended.events == [SUCCESS]
    asyncio.run(_look(ended))
    assert ended.events == [SUCCESS]
    ended.pending += [RUNNING, failure]
    bunch = tuple(ended.pending)
    ended.look()
    ended.pending.clear()
    ended.look()
    ended.turgo_task_events((*bunch, SUCCESS))
    assert ended.events == [SUCCESS, failure, SUCCESS]
    ended.pending.append(failure)
    ended.turgo_task_events([failure])
    assert ended.events[3:] == [failure]


async def _look(ended):
    """As a coroutine does that waits for more."""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ended.turn(1), 3 * NEXT_LOOK_SECONDS)


def test_a_thread_waits_for_more_or_for_the_end():
    """And is told whether it came in time."""
    ended = Ended("census")
    assert not ended.wait(0, 0.0) and not ended.wait(None, 0.01)
    answers = []

    def wait():
        answers.append((ended.wait(0, LONG), len(ended.events)))
        answers.append((ended.wait(None, LONG), ended.over))

    thread = threading.Thread(target=wait)
    thread.start()
    ended.turgo_task_events([SUCCESS])
    end = time.monotonic() + LONG
    while not answers and time.monotonic() < end:
        time.sleep(0.001)
    ended.close(None)
    thread.join(LONG)
    assert answers == [(True, 1), (True, True)]


def test_coroutines_wait_in_loops_of_their_own():
    """Two of them in two threads; one that gave up is not woken."""
    ended = Ended("census")
    done, begun = [], threading.Barrier(3)

    def watch(number):
        async def main():
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(ended.turn(0), 0.001)
            waiting = asyncio.create_task(ended.turn(None))
            await asyncio.sleep(0)
            begun.wait(LONG)
            await asyncio.wait_for(waiting, LONG)
            done.append(number)

        asyncio.run(main())

    threads = [threading.Thread(target=watch, args=[number]) for number in (1, 2)]
    for thread in threads:
        thread.start()
    begun.wait(LONG)
    ended.close(None)
    for thread in threads:
        thread.join(LONG)
    assert sorted(done) == [1, 2]


def test_the_error_of_the_run_is_raised_each_time_and_its_traceback_stays():
    """However many ask."""
    ended = Ended("census")
    ended.raise_error()
    assert not ended.told
    try:
        raise RunError("broke off")
    except RunError as error:
        ended.close(error)
    for _ in range(3):
        with pytest.raises(RunError, match="broke off"):
            ended.raise_error()
    assert ended.told


def test_who_would_wait_for_itself_is_refused_and_may_ask_what_is_there():
    """Only a wait would last for ever."""
    ended = Ended("census")
    ended.thread = threading.current_thread()
    with pytest.raises(RunError, match="the run of census would wait for itself"):
        ended.wait(0)
    with pytest.raises(RunError, match="the run of census would wait for itself"):
        asyncio.run(ended.turn(0))
    ended.turgo_task_events([SUCCESS])
    assert ended.wait(0)

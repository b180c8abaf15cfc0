"""The simulated executor: virtual time, a scheduler that takes its time, slow workers, lost workers."""

import pytest

from turgo import flow, task
from turgo.errors import ExecutorNotStartedError, WorkerLostError
from turgo.records.states import TaskState
from turgo.testing import SimulatedExecutor


@task
def same(value):
    return value


@flow
def mapped(width):
    return same.map(range(width))


@flow
def chained(length):
    value = 0
    for _ in range(length):
        value = same(value)
    return value


def duration(executor, graph=mapped, size=8):
    """The virtual seconds that a run takes; its values are real."""
    run = graph.run(size, executor=executor)
    assert run.result == (list(range(size)) if graph is mapped else 0)
    return run.duration


def test_calls_take_the_time_that_is_given_and_none_of_ours():
    """An hour each, on four workers at once, one after the other in a chain; by number, name or element."""
    hour = 3600.0
    assert duration(SimulatedExecutor(4, durations=hour)) == pytest.approx(2 * hour)
    assert duration(SimulatedExecutor(4, durations={"same": hour}), chained, 3) == pytest.approx(3 * hour)
    assert duration(SimulatedExecutor(8, durations=lambda name, index: index * hour)) == pytest.approx(
        7 * hour
    )


def test_a_call_may_say_itself_how_long_it_takes():
    """Its task run has that duration, and the time that its worker began."""
    simulated = SimulatedExecutor(2, latency_seconds=1.0)

    @task
    def uneven(seconds):
        simulated.sleep(seconds)

    @flow
    def two():
        uneven.map([5.0, 9.0])

    run = two.run(executor=simulated)
    assert [each.duration for each in run.task_runs] == [5.0, 9.0] and run.duration == pytest.approx(10.0)
    assert [each.started - run.started for each in run.task_runs] == [0.5, 0.5]
    assert sorted(each.worker for each in run.task_runs) == ["simulated-0", "simulated-1"]


def test_submissions_pass_the_scheduler_one_after_the_other():
    """However many workers there are; a round trip has its latency besides."""
    assert duration(SimulatedExecutor(8, serial_seconds=2.0, latency_seconds=1.0)) == pytest.approx(
        8 * 2 + 1.0
    )


def test_a_slow_worker_takes_longer_for_the_same_call():
    """By its factor; speeds are given out in turn."""
    simulated = SimulatedExecutor(2, durations=10.0, speeds=[1.0, 0.1])
    run = mapped.run(2, executor=simulated)
    assert [each.duration for each in run.task_runs] == [10.0, 100.0]


def test_the_same_seed_gives_the_same_run():
    """And another one another run."""

    def jittered(seed):
        return duration(SimulatedExecutor(3, durations=1.0, jitter_seconds=0.5, seed=seed))

    assert jittered(1) == jittered(1) != jittered(2)


def test_a_call_may_lose_its_worker():
    """It is Crashed in the end; what was in its batch succeeds all the same."""
    simulated = SimulatedExecutor(2, durations=0.001)

    @task
    def kills(number):
        if number == 13:
            simulated.die()
        return number

    run = flow(name="killing")(lambda: kills.map(range(100))).run(executor=simulated)
    assert [each.index for each in run.task_runs if each.state is not TaskState.SUCCESS] == [13]
    assert run.task_runs[13].state is TaskState.CRASHED


def test_workers_that_do_not_live_long_cost_time_and_no_result():
    """Another worker takes the place of each; calls that were lost run again."""
    mortal = SimulatedExecutor(4, durations=1.0, lifetime_seconds=5.0, restart_seconds=2.0, seed=3)
    patient = same.with_options(crash_retries=50)
    run = flow(name="mortal")(lambda: patient.map(range(40))).run(executor=mortal)
    assert run.ok and run.duration > 10.0
    assert any(len(each.attempts) > 1 for each in run.task_runs)


def test_a_retry_waits_in_virtual_time():
    """An hour passes at once."""
    tries = []

    @task(retries=1, retry_delay=3600.0)
    def second_time():
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")

    run = flow(name="patient")(lambda: second_time()).run(executor=SimulatedExecutor())
    assert run.ok and run.duration == pytest.approx(3600.0)


def test_a_time_limit_of_a_flow_is_virtual():
    """A run that takes too long ends then."""
    run = flow(name="late", timeout=60.0)(lambda: same.map(range(100))).run(
        executor=SimulatedExecutor(1, durations=3.0)
    )
    assert not run.ok and 60.0 <= run.duration < 70.0


def test_whoever_waits_for_a_future_lets_the_time_go_on():
    """Up to a timeout, in virtual seconds."""
    with SimulatedExecutor(1).start() as simulated:
        future = simulated.submit(simulated.sleep, 100.0)
        with pytest.raises(TimeoutError):
            future.result(timeout=99.0)
        assert simulated.clock.now == 99.0 and not future.done()
        assert future.exception() is None and simulated.clock.now == 100.0
        lost = simulated.submit(simulated.die)
        assert isinstance(lost.exception(), WorkerLostError)
        simulated.sleep(50.0)
        assert simulated.clock.now == 150.0 and simulated.submissions == 2
        with pytest.raises(ExecutorNotStartedError, match="outside of a simulated call"):
            simulated.die()


def test_ten_thousand_slots_are_simulated_in_seconds():
    """In seconds of real time, as far as the machine has nothing else to do."""
    simulated = SimulatedExecutor(10_000, durations=1.0, serial_seconds=0.0015)
    assert duration(simulated, size=20_000) < 40.0

"""`python -m benchmarks.process_pools`: what our pool of processes does and costs beside three others.

Each question of ADR 14 is one function. It gets a pool that is open and warm, and answers with a word or a number:

    Contender ──open──> submit(fn, *args) ──> future ──> cost of a call, cost of arrays
                                                └──────> one call killed, one that dies, what the others notice

A pool that an experiment broke is closed, and the next question gets a new one.
"""

from __future__ import annotations

import concurrent.futures
import ctypes
import logging
import multiprocessing
import os
import signal
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from loky import ProcessPoolExecutor as LokyPool
from pebble import ProcessPool as PebblePool

from benchmarks import work
from benchmarks.machine import heading
from turgo_local_dask import LocalDaskExecutor

POOL_PROCESSES_WIDTH = 2
COSTED_CALLS = 2_000
ROUND_TRIPS_CALLS = 300
LARGE_ARRAYS_CALLS = 64
WHOLE_ARRAY_BYTES = 256 * 2**20
KILL_LIMIT_SECONDS = 1.0
NOTICED_SECONDS = 30.0

_LIMITS = {"pebble", "ours"}


def meet(_: Any) -> int:
    """Take long enough that each process gets one of these."""
    time.sleep(0.2)
    return os.getpid()


def deaf(_: Any) -> None:
    """Hold the interpreter's lock, and block all signals that can be blocked."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    ctypes.PyDLL(None).sleep(60)


def deadly(_: Any) -> None:
    """Die, as one does whom the system kills."""
    os.kill(os.getpid(), signal.SIGKILL)


def logs(_: Any) -> None:
    """Log a line."""
    logging.getLogger("far.away").warning("a line")


class Submit(Protocol):
    """Submits one call, with a limit of seconds where the pool knows one."""

    def __call__(self, fn: Callable[..., Any], *args: Any, seconds: float | None = None) -> Future[Any]: ...


@contextmanager
def standard() -> Iterator[Submit]:
    """The pool of the standard library."""
    pool = ProcessPoolExecutor(POOL_PROCESSES_WIDTH, mp_context=multiprocessing.get_context("spawn"))
    yield lambda fn, *args, seconds=None: pool.submit(fn, *args)
    for process in list((pool._processes or {}).values()):
        process.kill()  # it waits for whatever runs otherwise
    pool.shutdown(cancel_futures=True)


@contextmanager
def loky() -> Iterator[Submit]:
    """Loky's, which joblib uses."""
    pool = LokyPool(POOL_PROCESSES_WIDTH)
    yield lambda fn, *args, seconds=None: pool.submit(fn, *args)
    pool.shutdown(kill_workers=True)


@contextmanager
def pebble() -> Iterator[Submit]:
    """Pebble's."""
    pool = PebblePool(POOL_PROCESSES_WIDTH, context=multiprocessing.get_context("spawn"))
    yield lambda fn, *args, seconds=None: pool.schedule(fn, args=args, timeout=seconds)
    pool.stop()
    pool.join()


@contextmanager
def ours() -> Iterator[Submit]:
    """That of local_dask."""

    def submit(fn: Callable[..., Any], *args: Any, seconds: float | None = None) -> Future[Any]:
        context: Any = {} if seconds is None else {"task_timeout": seconds}
        return executor.submit(fn, *args, extra_context=context)  # type: ignore[return-value]

    executor = LocalDaskExecutor("processes", num_workers=POOL_PROCESSES_WIDTH)
    with suppress(ZeroDivisionError), executor.start():
        yield submit
        _ = 1 / 0  # after an error it does not wait for what runs


CONTENDERS: dict[str, Callable[[], Any]] = {
    "ProcessPoolExecutor": standard,
    "loky": loky,
    "pebble": pebble,
    "ours": ours,
}


def processes(submit: Submit) -> set[int]:
    """The ids of the processes, all of which are up then."""
    return {each.result() for each in [submit(meet, None) for _ in range(2 * POOL_PROCESSES_WIDTH)]}


def cost_of_a_call(name: str, submit: Submit) -> str:
    """Microseconds, of many that were submitted at once."""
    began = time.perf_counter()
    for future in [submit(work.noop, number) for number in range(COSTED_CALLS)]:
        future.result()
    return f"{(time.perf_counter() - began) / COSTED_CALLS * 1e6:.0f} µs"


def round_trip(name: str, submit: Submit) -> str:
    """Microseconds from a submission to its value, nothing else being under way: the median."""
    trips = []
    for number in range(ROUND_TRIPS_CALLS):
        began = time.perf_counter()
        submit(work.noop, number).result()
        trips.append(time.perf_counter() - began)
    return f"{statistics.median(trips) * 1e6:.0f} µs"


def large_arrays(name: str, submit: Submit) -> str:
    """Seconds for arrays of 8 MiB that are made in processes, pass through the driver and are summed in processes."""
    began = time.perf_counter()
    made = [submit(work.array, number) for number in range(LARGE_ARRAYS_CALLS)]
    for future in [submit(work.total, each.result()) for each in made]:
        future.result()
    return f"{time.perf_counter() - began:.2f} s"


def peak_of_an_array(name: str, submit: Submit) -> str:
    """How often the driver holds an array that is sent to a process, beside the array itself, at its peak."""
    array = bytearray(WHOLE_ARRAY_BYTES)
    payload = memoryview_of(array)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _resident("VmHWM")
    submit(len, payload).result()
    return f"{(_resident('VmHWM') - before) / WHOLE_ARRAY_BYTES:.1f} copies"


def memoryview_of(data: bytearray) -> Any:
    """An array of numpy over the data, as its pickle can leave the memory out."""
    import numpy as np

    return np.frombuffer(data, dtype=np.uint8)


def _resident(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(field)


def kill_in_time(name: str, submit: Submit) -> str:
    """When a call that hears nothing is ended by its limit, and what its neighbour notices."""
    if name not in _LIMITS:
        return "no limits"
    neighbour, began = submit(time.sleep, 3.0), time.perf_counter()
    late = submit(deaf, None, seconds=KILL_LIMIT_SECONDS)
    error = late.exception(NOTICED_SECONDS)
    took = time.perf_counter() - began
    return f"{type(error).__name__} after {took:.1f} s; neighbour {_fate(neighbour)}"


def cancel_running(name: str, submit: Submit) -> str:
    """Whether a call that runs can be cancelled, and how soon the next one runs."""
    blockers = [submit(time.sleep, 20.0) for _ in range(POOL_PROCESSES_WIDTH)]
    time.sleep(1.0)
    if not blockers[0].cancel():
        return "no"
    began = time.perf_counter()
    submit(work.noop, 1).result(NOTICED_SECONDS)
    return f"yes; the next call after {time.perf_counter() - began:.2f} s"


def death(name: str, submit: Submit) -> str:
    """What a call that kills its process costs: which calls fail, with which error, and whether the pool goes on."""
    running = submit(time.sleep, 1.5)
    waiting = [submit(work.noop, number) for number in range(20)]
    killer = submit(deadly, None)
    error = killer.exception(NOTICED_SECONDS)
    lost = sum(_fate(each) != "unharmed" for each in (running, *waiting))
    try:
        submit(work.noop, 1).result(NOTICED_SECONDS)
        then = "goes on"
    except Exception as broken:  # noqa: BLE001  (each library has an error of its own)
        then = f"broken ({type(broken).__name__})"
    return f"{type(error).__name__}; {lost} of 21 others lost; pool {then}"


def idle_death(name: str, submit: Submit) -> str:
    """Whether the pool goes on when its processes die while they have nothing to do."""
    for pid in processes(submit):
        os.kill(pid, signal.SIGKILL)
    lost = sum(_fate(submit(work.noop, number)) != "unharmed" for number in range(5))
    return "goes on" if not lost else f"{lost} of the next 5 calls lost"


def forwarded_logs(name: str, submit: Submit) -> str:
    """Whether a line that a call logs reaches a handler here."""
    seen: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = seen.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    submit(logs, None).result()
    logging.getLogger().removeHandler(handler)
    return "yes" if any(each.name == "far.away" for each in seen) else "no"


def _fate(future: Future[Any]) -> str:
    try:
        future.result(NOTICED_SECONDS)
    except (Exception, concurrent.futures.CancelledError) as error:  # noqa: BLE001  (an error of each library)
        return f"lost ({type(error).__name__})"
    return "unharmed"


QUESTIONS: dict[str, Callable[[str, Submit], str]] = {
    f"a call, of {COSTED_CALLS:,} at once": cost_of_a_call,
    "a call alone, there and back": round_trip,
    f"{LARGE_ARRAYS_CALLS} arrays of 8 MiB, through the driver": large_arrays,
    "the driver's memory for an array of 256 MiB": peak_of_an_array,
    "a deaf call, limit 1 s": kill_in_time,
    "cancelling a call that runs": cancel_running,
    "a call that kills its process": death,
    "processes killed while idle": idle_death,
    "what calls log": forwarded_logs,
}


def answers(name: str, rounds: int) -> list[str]:
    """What one contender answers to all questions. Of figures the best of the rounds counts, as noise can only add."""
    found = []
    for ask in QUESTIONS.values():
        given = []
        for _ in range(rounds if ask in (cost_of_a_call, round_trip, large_arrays) else 1):
            with CONTENDERS[name]() as submit:
                processes(submit)
                submit(work.total, submit(work.array, 1).result()).result()  # numpy is imported
                given.append(_answer(name, ask, submit))
        found.append(min(given, key=lambda text: (len(text.partition(".")[0]), text)))
    return found


def _answer(name: str, ask: Callable[[str, Submit], str], submit: Submit) -> str:
    began = time.perf_counter()
    try:
        answer = ask(name, submit)
    except Exception as error:  # noqa: BLE001  (each library has an error of its own)
        answer = f"broken ({type(error).__name__}: {error})"
    took = time.perf_counter() - began
    print(f"{name}, {ask.__name__}: {answer} ({took:.0f} s)", file=sys.stderr, flush=True)
    return answer


def main(arguments: Sequence[str]) -> None:
    """Print one row for each question, as a table of Markdown."""
    names = list(arguments) or list(CONTENDERS)
    columns = {name: answers(name, rounds=2) for name in names}
    print(heading())
    print("| |", " | ".join(names), "|")
    print("| --- " * (len(names) + 1) + "|")
    for at, question in enumerate(QUESTIONS):
        print(f"| {question} |", " | ".join(columns[name][at] for name in names), "|", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])

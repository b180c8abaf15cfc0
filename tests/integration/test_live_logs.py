"""What tasks log reaches the driver while they run: once for each handler, whatever becomes of the call."""

import logging
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cloudpickle
import pytest

from turgo import Executor, TaskState, flow, task
from turgo.hooks import hookimpl

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # the workers do not have this file

ENGINES = ("local", "threads", "processes", "synchronous", "dask", "dask in threads", "file")

SEPARATE = ("processes", "dask")
"""Executors whose calls run in other processes."""


class Heard(logging.Handler):
    """Keeps the texts that it gets; `arrived` waits for one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._changed = threading.Condition()

    def emit(self, record: logging.LogRecord) -> None:
        with self._changed:
            self.texts.append(record.getMessage())
            self._changed.notify_all()

    def arrived(self, text: str) -> bool:
        """Whether it comes within 20 seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: text in self.texts, 20)


@pytest.fixture
def heard() -> Iterator[Heard]:
    """A handler of a logger that does not propagate."""
    logger, handler = logging.getLogger("test_live_logs"), Heard()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    yield handler
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)
    logger.propagate = True


def say(text: str) -> None:
    """Log it."""
    logging.getLogger("test_live_logs").info(text)


def test_a_line_is_there_while_its_call_runs(executor: Executor, heard: Heard, tmp_path: Path) -> None:
    """The call ends only when the driver's handler has had its line."""
    file = tmp_path / "heard"

    @task(timeout=60.0)
    def waits(path: Path) -> bool:
        say("while it runs")
        until = time.monotonic() + 40
        while not path.exists() and time.monotonic() < until:
            time.sleep(0.01)
        return path.exists()

    def answer() -> None:
        if heard.arrived("while it runs"):
            file.touch()

    thread = threading.Thread(target=answer)
    thread.start()
    run = flow(lambda: waits(file)).run(executor=executor)
    thread.join()
    assert run.result is True
    assert [line.message for line in run.task_runs[0].logs] == heard.texts == ["while it runs"]


def test_threads_of_a_call_and_loggers_that_do_not_propagate(executor: Executor, heard: Heard) -> None:
    """Each line is handled once, and kept with the call whose threads said it."""

    @task
    def says(number: int) -> None:
        say(f"call {number}")
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda part: say(f"part {part} of {number}"), range(2)))

    run = flow(lambda: says.map(range(3))).run(executor=executor)
    expected = [{f"call {n}", f"part 0 of {n}", f"part 1 of {n}"} for n in range(3)]
    assert [{line.message for line in each.logs} for each in run.task_runs] == expected
    assert Counter(heard.texts) == Counter(text for texts in expected for text in texts)


def test_a_call_that_is_cancelled_keeps_its_lines(own_executor: Executor, heard: Heard) -> None:
    """What it said before the run was cancelled is kept and handled."""

    @task
    def hangs() -> None:
        say("before")
        for _ in range(2_000):
            time.sleep(0.01)

    @flow
    def hanging() -> Any:
        return hangs()

    runs: list[Any] = []

    class Watch:
        @hookimpl
        def turgo_flow_started(self, run: Any) -> None:
            runs.append(run)

    def cancel() -> None:
        heard.arrived("before")
        runs[0].cancel()

    if own_executor.slots == 1 and "parallel" not in own_executor.capabilities:
        pytest.skip("a call in the thread of the loop is not cancelled by another thread")
    thread = threading.Timer(0.0, cancel)
    thread.start()
    run = hanging.run(executor=own_executor, observers=[Watch()])
    thread.join()
    assert run.task_runs[0].state is TaskState.CANCELLED
    assert [line.message for line in run.task_runs[0].logs] == ["before"] == heard.texts


def test_a_call_that_dies_keeps_its_lines(own_executor: Executor, engine_name: str, heard: Heard) -> None:
    """Of each attempt; the call goes on once the driver has had them, and is killed."""
    if engine_name not in SEPARATE:
        pytest.skip("the call would end this process")

    @task(crash_retries=1)
    def dies() -> None:
        say("before")
        time.sleep(0.5)  # on dask a line leaves the process by its event loop
        os.kill(os.getpid(), signal.SIGKILL)

    run = flow(lambda: dies()).run(executor=own_executor)
    assert run.task_runs[0].state is TaskState.CRASHED
    assert [line.message for line in run.task_runs[0].logs] == ["before", "before"] == heard.texts


def test_a_flood_is_handled_line_by_line_and_kept_in_part(executor: Executor, heard: Heard) -> None:
    """Five thousand lines as quickly as a call can say them: all are handled, a thousand kept, the rest counted."""

    @task
    def floods() -> None:
        for number in range(5_000):
            say(f"line {number}")

    run = flow(lambda: floods()).run(executor=executor)
    lines = [line.message for line in run.task_runs[0].logs]
    assert lines[:1_000] == [f"line {number}" for number in range(1_000)]
    assert len(lines) == 1_001 and lines[1_000].startswith("4000 more line(s)")
    assert heard.texts == [f"line {number}" for number in range(5_000)]


def test_a_traceback_and_extra_cross_with_a_record(executor: Executor) -> None:
    """A formatter of the driver finds what it finds where the task runs in the driver."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign]
    logger = logging.getLogger("test_live_logs.whole")
    logger.addHandler(handler)

    @task
    def fails() -> None:
        try:
            raise ValueError("the cause")
        except ValueError:
            logging.getLogger("test_live_logs.whole").exception("it %s", "failed", extra={"user": "me"})

    try:
        flow(lambda: fails()).run(executor=executor)
    finally:
        logger.removeHandler(handler)
    (record,) = records
    text = logging.Formatter("%(user)s %(funcName)s %(message)s").format(record)
    assert text.startswith("me fails it failed\nTraceback") and text.endswith("ValueError: the cause")


SCRIPT = """
import logging, sys
from turgo import flow, task

logging.basicConfig(level=logging.INFO, format="root: %(message)s", stream=sys.stdout)
logging.getLogger("named").addHandler(logging.StreamHandler(sys.stdout))
logging.getLogger("named").addHandler(logging.FileHandler("named.txt", mode="w"))
if __name__ == "__main__":
    logging.getLogger("named").warning("before")

@task
def says(number):
    logging.info("plain %d", number)
    logging.getLogger("named").warning("named %d", number)

@flow
def saying():
    return says.map(range(2))

if __name__ == "__main__":
    assert saying.run(executor={executor!r}, executor_options={options!r}).ok
"""


def test_a_script_that_sets_up_logging_says_each_line_once(
    engine_settings: tuple[str, dict[str, Any]], threads_file: Path, tmp_path: Path
) -> None:
    """Though each worker process imports the script, and sets up the same handlers; it truncates no file of theirs."""
    name, options = engine_settings
    executor = name.format(threads_file=threads_file)
    script = tmp_path / "script.py"
    script.write_text(textwrap.dedent(SCRIPT).format(executor=executor, options=options), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
    )
    assert done.returncode == 0, done.stderr
    said = Counter(line for line in done.stdout.splitlines() if "plain" in line or "named" in line)
    expected = [f"root: plain {n}" for n in range(2)]
    expected += [f"{prefix}named {n}" for n in range(2) for prefix in ("", "root: ")]
    assert said == Counter(expected)
    written = (tmp_path / "named.txt").read_text("utf-8").splitlines()
    assert written[0] == "before" and sorted(written[1:]) == ["named 0", "named 1"]

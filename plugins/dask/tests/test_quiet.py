"""Log lines of a session's own threads, and those of others."""

from __future__ import annotations

import logging
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from turgo_dask.quiet import filtered

logger = logging.getLogger("distributed.scheduler")


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What a handler of the user's gets."""
    found: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: found.append(record.getMessage())  # type: ignore[method-assign]
    root, level = logging.getLogger("distributed"), logger.level
    root.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield found
    logger.setLevel(level)
    root.removeHandler(handler)


def in_a_thread(message: str, level: int = logging.INFO) -> None:
    """Log in a thread that is new."""
    thread = threading.Thread(target=logger.log, args=(level, message))
    thread.start()
    thread.join()


def test_only_new_threads_are_quiet_while_a_cluster_starts(lines: list[str]) -> None:
    """What this thread logs, and what is as severe as the level, is the user's to see; afterwards all of it is."""
    with filtered(logging.WARNING) as quiet:
        with quiet.starting():
            in_a_thread("new")
            in_a_thread("severe", logging.WARNING)
            logger.info("old")
        in_a_thread("later")
    logger.info("afterwards")
    assert lines == ["severe", "old", "later", "afterwards"]


def test_a_new_thread_is_quiet_though_it_has_the_ident_of_one_that_has_ended(lines: list[str]) -> None:
    """Idents are given again as soon as a thread has ended."""
    go = threading.Event()
    old = threading.Thread(target=go.wait)
    old.start()
    with filtered(logging.WARNING) as quiet, quiet.starting():
        go.set()
        old.join()
        for _ in range(20):
            in_a_thread("new")
    assert lines == []


def test_several_sessions_do_not_see_each_other(lines: list[str]) -> None:
    """Whichever ends first, no logger keeps a filter."""
    before = list(logger.filters)
    first, second = filtered(logging.WARNING), filtered(logging.CRITICAL)
    with first.__enter__().starting(), second.__enter__().starting():
        first.__exit__(None, None, None)
        in_a_thread("of the second", logging.ERROR)
        second.__exit__(None, None, None)
        in_a_thread("of nobody", logging.ERROR)
    assert lines == ["of nobody"]
    assert logger.filters == before


@pytest.mark.parametrize("first", ["", "import distributed"])
def test_a_script_that_logs_prints_its_own_lines(first: str, tmp_path: Path) -> None:
    """Whether distributed is imported before `basicConfig`, which it takes as a request for its own lines, or after."""
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(f"""
            {first}
            import logging, time
            from turgo import flow, task

            logging.basicConfig(level=logging.INFO)

            @task
            def same(number):
                return number

            @task(timeout=0.5)
            def stuck():
                time.sleep(1000)

            @flow
            def main():
                return same.map(range(3)), stuck()

            if __name__ == "__main__":
                logging.info("my own")
                options = {{"cluster_kwargs": {{"n_workers": 0}}, "adapt_kwargs": {{"minimum": 1, "maximum": 1}}}}
                main.run(executor="dask", executor_options=options)
        """)
    )
    done = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=100, check=True
    )
    assert "my own" in done.stderr
    assert "distributed" not in done.stderr

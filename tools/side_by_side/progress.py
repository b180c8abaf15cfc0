"""One line of progress instead of a dot for each test: how far the tests are, and how long they will take.

    pytest -p tools.side_by_side.progress -o console_output_style=classic

On a terminal the line is written over again; elsewhere, as in a pipe, there is one every 20 seconds. A test that fails
is named at once. How long each test took is kept in pytest's cache; of one that is not known there it is guessed. What
is left is said at the pace at which it goes here and now.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import pytest
from tools.side_by_side.seconds import CACHE_KEY, known

EVERY_SECONDS = {True: 1.0, False: 20.0}
"""How often there is a line, at most: on a terminal, and elsewhere."""

FIRST_SECONDS = 20.0
"""So much counts as seen before anything is: each worker does a second of tests in a second."""


def clock(seconds: float) -> str:
    """As a clock shows it: 83 s are 1:23."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


class Progress:
    """What is known of the tests of one run, and of what is left of it."""

    def __init__(self, config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
        self.config, self.reporter = config, reporter
        self.cache: pytest.Cache | None = getattr(config, "cache", None)
        self.on_terminal = bool(reporter.isatty)
        self.known: dict[str, float] = self.cache.get(CACHE_KEY, {}) if self.cache else {}
        self.left: dict[str, float] = {}
        self.spent: dict[str, float] = {}
        self.count = self.failed = 0
        self.done_seconds = 0.0
        self.began = self.told = time.monotonic()

    def expect(self, tests: Sequence[str]) -> None:
        """Hear which tests there are, and say how long they will take."""
        guessed = known()
        self.left = {test: self.known.get(test, guessed.of(test)) for test in tests}
        self.count = len(self.left)
        self.began = self.told = time.monotonic()
        self.tell(f"{self.count:,} tests, about {clock(self.left_seconds())} with {self.workers} at once")

    @property
    def workers(self) -> int:
        """How many tests run at once."""
        return int(self.config.getoption("numprocesses", None) or 1)

    def left_seconds(self) -> float:
        """How long the rest will take, at the pace until now."""
        passed = time.monotonic() - self.began + FIRST_SECONDS
        pace = (self.done_seconds + FIRST_SECONDS * self.workers) / passed
        return sum(self.left.values()) / pace

    def tell(self, line: str, *, keep: bool = False) -> None:
        """Write the line; on a terminal over the last one, unless that is to be kept."""
        if not self.on_terminal:
            self.reporter.write_line(line)
        else:
            self.reporter.rewrite(line[: self.config.get_terminal_writer().fullwidth - 1], erase=True)
            self.reporter.write("\n" * keep)
        self.reporter.flush()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Without xdist the tests are those of this process."""
        if session.items:
            self.expect([item.nodeid for item in session.items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: object, ids: Sequence[str]) -> None:
        """With xdist each worker finds all of them."""
        if not self.count:
            self.expect(ids)

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """Count the test without a dot."""
        if hasattr(report, "wasxfail"):
            return None
        if report.failed:
            return ("failed", "", "FAILED") if report.when == "call" else ("error", "", "ERROR")
        return ("skipped" if report.skipped else "passed" if report.when == "call" else "", "", "")

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Hear of a part of a test, the last of which is `teardown`."""
        self.spent[report.nodeid] = self.spent.get(report.nodeid, 0.0) + report.duration
        if report.when == "teardown":
            self.done_seconds += self.left.pop(report.nodeid, 0.0)
        if report.failed:
            self.failed += 1
            self.tell(f"FAILED {report.nodeid}", keep=True)
        elif time.monotonic() - self.told >= EVERY_SECONDS[self.on_terminal]:
            self.told = time.monotonic()
            failures = f"; {self.failed} failed" if self.failed else ""
            times = f"{clock(self.told - self.began)}, about {clock(self.left_seconds())} left"
            self.tell(f"{self.count - len(self.left):,} of {self.count:,} tests in {times}{failures}")

    def pytest_sessionfinish(self) -> None:
        """Keep what was learned."""
        if self.on_terminal:
            self.tell("")
        if self.cache:
            learned = {
                test: round(seconds, 2) for test, seconds in self.spent.items() if test not in self.left
            }
            self.cache.set(CACHE_KEY, self.known | learned)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Tell of progress, unless more or less is asked for than is usual, or in a worker, which shows nothing."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.verbosity == 0 and not config.option.collectonly:
        reporter.showfspath = False
        config.pluginmanager.register(Progress(config, reporter), "progress-of-tests")

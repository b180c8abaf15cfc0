"""A run of pytest that checks the executor which its command line names."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from penstock.errors import PenstockError
from penstock.registry import choose_executor
from penstock.testing.certificate import Certificate, Outcome, certify, write

SUITE = Path(__file__).with_name("suite.py")


class Conformance:
    """The hooks of such a run: what is collected, what came of it, and the certificate."""

    def __init__(self, config: pytest.Config) -> None:
        self._name: str = config.getoption("penstock_executor")
        self._options = _pairs(config.getoption("penstock_option"))
        self._file: str | None = config.getoption("penstock_certificate")
        self._checks: dict[str, str] = {}  # their names, by the ids of pytest
        self._outcomes: dict[str, Outcome] = {}
        self._began = time.monotonic()
        try:
            self._executor = choose_executor(option=self._name, option_options=self._options).executor
        except PenstockError as error:
            raise pytest.UsageError(str(error)) from None
        given = config.args if config.args_source is config.ArgsSource.ARGS else []
        config.args[:] = [*given, str(SUITE)]

    def pytest_report_header(self) -> str:
        """Says what is checked."""
        return f"penstock: the conformance of {self._name}, {self._executor!r}"

    def pytest_pycollect_makeitem(self, collector: Any, name: str, obj: Any) -> None:
        """Tell the class which executor it is for."""
        if collector.path == SUITE and name == "TestExecutor":
            obj.executor = self._executor

    def pytest_itemcollected(self, item: pytest.Item) -> None:
        """Know the checks from whatever else is collected."""
        if item.path == SUITE:
            self._checks[item.nodeid] = item.name

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what came of each check; what is left behind at the very end counts against the last one."""
        check = self._checks.get(report.nodeid)
        if check is None or (report.when != "call" and report.passed):
            return
        if not report.passed or check not in self._outcomes:
            self._outcomes[check] = Outcome(report.outcome, "" if report.passed else _reason(report))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Say of each capability whether it is proven."""
        certificate = self._certificate()
        terminalreporter.section(f"penstock: {self._name}")
        for line in certificate.lines():
            terminalreporter.write_line(line)
        if self._file:
            write(certificate, Path(self._file))

    def _certificate(self) -> Certificate:
        seconds = time.monotonic() - self._began
        return certify(self._name, self._options, self._executor, self._outcomes, seconds)


def _pairs(given: list[str]) -> dict[str, str]:
    pairs = {}
    for pair in given:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise pytest.UsageError(f"--penstock-option expects key=value, got {pair!r}")
        pairs[key.strip()] = text
    return pairs


def _reason(report: pytest.TestReport) -> str:
    """Why it was skipped, or what the failed check said."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(getattr(crash, "message", report.longrepr))

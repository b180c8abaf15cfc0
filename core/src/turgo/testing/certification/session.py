"""A run of pytest that checks the executor named on its command line."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import attrs
import pytest

from turgo.errors import ApiVersionError, TurgoError
from turgo.executor import Executor
from turgo.registry.options import check_options
from turgo.registry.precedence import choose_executor, options_given
from turgo.testing.certification.certificate import (
    SPOKEN,
    Certificate,
    Outcome,
    certify,
    of_foreign,
    proven_before,
    write,
)
from turgo.testing.certification.demands import Demands

SUITE = Path(__file__).parents[1] / "suite.py"


class Conformance:
    """The hooks of such a run: what is collected, what came of it, and the certificate."""

    def __init__(self, config: pytest.Config) -> None:
        self._name: str = config.getoption("turgo_executor")
        self._options = _pairs(config.getoption("turgo_option"), "--turgo-option")
        self._file: str | None = config.getoption("turgo_certificate")
        self._checks: dict[str, str] = {}  # their names, by the ids of pytest
        self._outcomes: dict[str, Outcome] = {}
        self._began = time.monotonic()
        try:
            self._executor = self._make_first(config)
            self._demands = _with_failing(_demands(config), config, self._executor)
            if again := config.getoption("turgo_again"):
                self._outcomes.update(proven_before(Path(again), self._certificate()))
        except TurgoError as error:
            raise pytest.UsageError(str(error)) from None
        given = config.args if config.args_source is config.ArgsSource.ARGS else []
        config.args[:] = [*given, str(SUITE)]

    def _make(self) -> Executor:
        return choose_executor(option=self._name, option_options=self._options).executor

    def _make_first(self, config: pytest.Config) -> Executor:
        """The executor. If it is for another version of the contract, nothing but that certificate is made."""
        try:
            return self._make()
        except ApiVersionError as error:
            if self._file:
                asked = Demands.of(_demands(config))
                write(of_foreign(self._name, self._options, error, demands=asked), Path(self._file))
            raise pytest.UsageError(f"the contract is not kept, by {SPOKEN}: {error}") from None

    def pytest_report_header(self) -> str:
        """Says what is checked, and what is asked that is not usual."""
        words = self._demands.words()
        return f"turgo: the conformance of {self._name}, {self._executor!r}{words and f'; asked: {words}'}"

    def pytest_pycollect_makeitem(self, collector: Any, name: str, obj: Any) -> None:
        """Set on the class which executor it is for, and what is asked of it."""
        if collector.path == SUITE and name == "TestExecutor":
            obj.executor = self._executor
            obj.made_by = staticmethod(self._make)
            for demand, value in attrs.asdict(self._demands, recurse=False).items():
                setattr(obj, demand, value)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out what an earlier certificate says, if it is the rest that is asked for."""
        known = [item for item in items if item.path == SUITE and item.name in self._outcomes]
        if known:
            config.hook.pytest_deselected(items=known)
            items[:] = [item for item in items if item not in known]

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
        terminalreporter.section(f"turgo: {self._name}")
        for line in certificate.lines():
            terminalreporter.write_line(line)
        if self._file:
            write(certificate, Path(self._file))

    def _certificate(self) -> Certificate:
        seconds = time.monotonic() - self._began
        return certify(
            self._name, self._options, self._executor, self._outcomes, seconds, demands=self._demands
        )


def _demands(config: pytest.Config) -> dict[str, Any]:
    """What the command line asks of any executor."""
    names = ("load", "patience", "shared_folder")
    asked = {name: config.getoption(f"turgo_{name}") for name in names}
    return {**asked, "lasting_threads": config.getoption("turgo_lasting_thread")}


def _with_failing(asked: dict[str, Any], config: pytest.Config, executor: Executor) -> Demands:
    """The demands, with the options with which this executor has to fail."""
    failing = _pairs(config.getoption("turgo_failing_option"), "--turgo-failing-option")
    checked = failing and check_options(type(executor), options_given({}, failing))
    return Demands.of({**asked, "failing_options": checked})


def _pairs(given: list[str], option: str) -> dict[str, str]:
    pairs = {}
    for pair in given:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise pytest.UsageError(f"{option} expects key=value, got {pair!r}")
        pairs[key.strip()] = text
    return pairs


def _reason(report: pytest.TestReport) -> str:
    """Why it was skipped, or what the failed check said."""
    if report.skipped and isinstance(report.longrepr, tuple):
        return str(report.longrepr[2]).removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(getattr(crash, "message", report.longrepr))

"""The pytest plugin: `pytest --penstock-executor NAME` runs the conformance suite with no file at all.

pytest loads this module in every project of an environment that has penstock. So it imports nothing else of it until
it is asked for an executor.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The three options."""
    group = parser.getgroup("penstock", "penstock: the conformance suite of an executor")
    group.addoption(
        "--penstock-executor",
        metavar="NAME",
        help="check this executor: a plugin, a profile, or a class path such as ./file.py:Class",
    )
    group.addoption(
        "--penstock-option",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an option of the executor, as often as you like",
    )
    group.addoption(
        "--penstock-certificate", metavar="FILE", help="write down as JSON what was proven of the executor"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Bring the suite in, if it is asked for."""
    if config.getoption("penstock_executor") is not None:
        from penstock.testing.session import Conformance

        config.pluginmanager.register(Conformance(config), "penstock-conformance")
    elif config.getoption("penstock_option") or config.getoption("penstock_certificate"):
        raise pytest.UsageError("--penstock-executor NAME is missing: say which executor to check")

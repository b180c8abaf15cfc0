"""`pytest --turgo-executor NAME` runs the conformance suite with no file at all. This is the pytest plugin.

pytest loads this module in every project of an environment that has turgo. So it imports nothing else of it until
it is asked for an executor.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; each but the first has no meaning without it."""
    group = parser.getgroup("turgo", "turgo: the conformance suite of an executor")
    group.addoption(
        "--turgo-executor",
        metavar="NAME",
        help="check this executor: a plugin, a profile, or a class path such as ./file.py:Class",
    )
    group.addoption(
        "--turgo-option",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an option of the executor, as often as you like",
    )
    group.addoption(
        "--turgo-certificate", metavar="FILE", help="write down as JSON what was proven of the executor"
    )
    group.addoption("--turgo-load", metavar="CALLS", type=int, help="how many calls the checks of load make")
    group.addoption(
        "--turgo-patience",
        metavar="SECONDS",
        type=float,
        help="after how long what should happen is taken not to happen",
    )
    group.addoption(
        "--turgo-lasting-thread",
        metavar="NAME",
        action="append",
        default=[],
        help="the beginning of the names of threads that a library keeps for good, as often as you like",
    )
    group.addoption("--turgo-shared-folder", metavar="FOLDER", help="a folder that the workers see too")
    group.addoption(
        "--turgo-failing-option",
        metavar="KEY=VALUE",
        action="append",
        default=[],
        help="an option with which start() has to fail, as often as you like",
    )
    group.addoption(
        "--turgo-again",
        metavar="FILE",
        help="run only what did not pass by this certificate; the rest is taken over from it",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the suite, if it is asked for."""
    if config.getoption("turgo_executor") is not None:
        from turgo.testing.certification.session import Conformance

        config.pluginmanager.register(Conformance(config), "turgo-conformance")
    elif config.getoption("turgo_option") or config.getoption("turgo_certificate"):
        raise pytest.UsageError("--turgo-executor NAME is missing: say which executor to check")

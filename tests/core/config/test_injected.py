"""Variables of a platform that has a service or container called turgo are ignored, with a line in the log."""

import logging
from pathlib import Path

import pytest

from turgo.config.injected import is_injected, warn_of_injected
from turgo.config.load import load_config

INJECTED = {
    "TURGO_SERVICE_HOST": "10.0.0.1",
    "TURGO_SERVICE_PORT": "80",
    "TURGO_SERVICE_PORT_HTTP": "80",
    "TURGO_PORT": "tcp://10.0.0.1:80",
    "TURGO_PORT_80_TCP": "tcp://10.0.0.1:80",
    "TURGO_PORT_80_TCP_ADDR": "10.0.0.1",
    "TURGO_DASHBOARD_SERVICE_HOST": "10.0.0.2",
    "TURGO_DASHBOARD_PORT_8787_TCP_PROTO": "tcp",
    "TURGO_NAME": "/web/turgo",
    "TURGO_ENV_LANG": "C",
}


def test_they_are_ignored_and_each_is_logged_once(project: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The configuration is what it is without them; a second look says nothing new."""
    warn_of_injected.cache_clear()
    with caplog.at_level(logging.WARNING, "turgo"):
        config = load_config(project, INJECTED)
        load_config(project, INJECTED)
    assert config.settings == load_config(project, {}).settings
    logged = [record.getMessage() for record in caplog.records]
    assert sorted(line.split()[2] for line in logged) == sorted(INJECTED)


@pytest.mark.parametrize(
    "name",
    [
        "TURGO_EXECUTOR",
        "TURGO_EXECUTORS__HPC__PORT",
        "TURGO_EXECUTORS__X__SERVICE_HOST",
        "TURGO_PROT",
        "TURGO_DEBUG",
    ],
)
def test_a_variable_of_ours_is_never_taken_for_one(name: str) -> None:
    """Nor is a slip, which stays an error."""
    assert not is_injected(name)

"""A TOML file with the line of each key."""

from collections.abc import Callable
from pathlib import Path

import pytest

from turgo.config.load import Config, load_config
from turgo.errors import ConfigError

Configure = Callable[..., Config]


def test_every_value_of_a_file_knows_its_file_line_and_key(configure: Configure) -> None:
    config = configure(
        """\
        executor = "hpc"
        debug = true

        [executors.hpc]   # a profile
        use = "dask"
        cluster_kwargs = { cores = 8 }
        adapt_kwargs.minimum = 1
        hosts = [
            "a",  # [
            "b",
        ]
        text = '''
        debug = "no key"
        '''

        [executors.hpc.client_kwargs]
        timeout = 3
        """
    )
    said = [setting for setting in config.settings if setting.origin.kind != "default"]
    places = {".".join(setting.key): setting.origin.line for setting in said}
    assert places == {
        "executor": 1,
        "debug": 2,
        "executors.hpc.use": 5,
        "executors.hpc.cluster_kwargs.cores": 6,
        "executors.hpc.adapt_kwargs.minimum": 7,
        "executors.hpc.hosts": 8,
        "executors.hpc.text": 12,
        "executors.hpc.client_kwargs.timeout": 17,
    }
    assert str(config.profiles["hpc"].origin) == "turgo.toml, line 5, key 'executors.hpc.use'"


def test_a_file_that_is_no_text_is_a_mistake(project: Path) -> None:
    (project / "turgo.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"turgo\.toml: cannot be read"):
        load_config(project, {})

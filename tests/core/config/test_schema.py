"""What can be set beside profiles, and which values it takes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from turgo.config.load import Config
from turgo.errors import ConfigError

Configure = Callable[..., Config]


def test_the_cache_is_set_by_file_and_variable(configure: Configure, project: Path) -> None:
    """A variable wins over the file; what nobody says is the user's cache folder, and 1 GiB."""
    config = configure("", XDG_CACHE_HOME="/home/me/caches")
    assert config.cache_url.value == "/home/me/caches/turgo/tasks"
    assert (config.cache_max_bytes.value, str(config.cache_max_bytes.origin)) == (1 << 30, "the default")
    config = configure('[cache]\nurl = "s3://bucket/x"\nmax_bytes = 5', TURGO_CACHE__MAX_BYTES="7000")
    assert (config.cache_url.value, config.cache_max_bytes.value) == ("s3://bucket/x", 7000)
    assert str(config.cache_url.origin) == "turgo.toml, line 2, key 'cache.url'"


@pytest.mark.parametrize(
    ("text", "variables", "words"),
    [
        (
            "[cache]\nmax_bytes = 0",
            {},
            "line 2, key 'cache.max_bytes': expected a whole number of bytes above 0",
        ),
        ("[cache]\nmax_bytes = true", {}, "expected a whole number of bytes above 0, got True"),
        ("[cache]\nurl = ' '", {}, "expected a folder or a URL"),
        ("[cache]\nuri = 'x'", {}, "there is no such setting; did you mean 'url'"),
        ("cache = 3", {}, "expected a table"),
        ("", {"TURGO_CACHE__MAX_BYTES": "1 GiB"}, "expected a whole number of bytes above 0, got '1 GiB'"),
        ("", {"TURGO_CACHE__URL": ""}, "expected a folder or a URL"),
        ("", {"TURGO_CACHE__URI": "x"}, "did you mean 'TURGO_CACHE__URL'"),
        ("", {"TURGO_CACHE": "x"}, "there is no such variable"),
        (
            "[limits]\ndb = 0",
            {},
            "turgo.toml, line 2, key 'limits.db': expected a whole number, 1 or more",
        ),
        (
            "[limits]\ndb = 'four'",
            {},
            "line 2, key 'limits.db': expected a whole number, 1 or more, got 'four'",
        ),
        ("[limits]\ndb = true", {}, "expected a whole number, 1 or more, got True"),
        ("[limits.db]\nmost = 4", {}, "expected a whole number, 1 or more"),
        ("limits = 4", {}, "turgo.toml, line 1, key 'limits': expected a table, got 4"),
        ("limit = 4", {}, "there is no such setting; did you mean 'limits'"),
        ("", {"TURGO_LIMITS__DB": "many"}, "variable TURGO_LIMITS__DB: expected a whole number"),
        ("", {"TURGO_LIMITS": "4"}, "did you mean 'TURGO_LIMITS__TAG'"),
        (
            "[journal]\nvalues = 'memory://x'",
            {},
            "line 2, key 'journal.values': expected a folder or a URL that outlives this process, got 'memory://x'",
        ),
        ("", {"TURGO_JOURNAL__VALUES": "Memory://u:pw@x"}, "outlives this process, got 'Memory://u:***@x'"),
        ("", {"TURGO_JOURNAL__VALUES": "simplecache::memory://x"}, "outlives this process"),
    ],
)
def test_a_wrong_setting_of_the_cache_or_limit_is_an_error(
    configure: Configure, text: str, variables: dict[str, str], words: str
) -> None:
    """With its place, and what is expected there."""
    with pytest.raises(ConfigError) as caught:
        configure(text, **variables)
    assert words in str(caught.value)


def test_limits_are_set_by_file_and_variable(configure: Configure) -> None:
    """Under any tag, quoted where TOML wants it; each knows where it comes from."""
    config = configure('[limits]\ndb = 4\n"dask-resource:GPU=1" = 2', TURGO_LIMITS__API="7")
    assert {tag: limit.value for tag, limit in config.limits.items()} == {
        "db": 4,
        "dask-resource:GPU=1": 2,
        "api": 7,
    }
    assert str(config.limits["db"].origin) == "turgo.toml, line 2, key 'limits.db'"
    assert str(config.limits["api"].origin) == "variable TURGO_LIMITS__API"
    assert ("limits", "db") in {setting.key for setting in config.settings}, "so `turgo config` shows it"

"""The configuration: where values come from, which of them holds, and what is said of a mistake."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from penstock.config import Config, load_config
from penstock.errors import ConfigError
from penstock.settings import Origin

Configure = Callable[..., Config]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def values(config: Config, profile: str) -> dict[str, object]:
    return {name: setting.value for name, setting in config.profiles[profile].options.items()}


def test_without_files_and_variables_the_defaults_hold(project: Path) -> None:
    config = load_config(project, {})
    assert (config.executor.value, config.debug.value, config.files) == ("local", False, ())
    assert str(config.executor.origin) == "the default"


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
    assert str(config.profiles["hpc"].origin) == "penstock.toml, line 5, key 'executors.hpc.use'"


def test_the_nearest_project_file_holds_and_penstock_toml_wins_over_pyproject_toml(project: Path) -> None:
    below = project / "a" / "b"
    below.mkdir(parents=True)
    write(project / "penstock.toml", 'executor = "far"')
    assert load_config(below, {}).executor.value == "far"
    write(project / "a" / "pyproject.toml", '[project]\nname = "x"\n[tool.penstock]\nexecutor = "near"')
    config = load_config(below, {})
    assert config.executor.value == "near"
    assert config.executor.origin.line == 4
    assert config.executor.origin.key == "tool.penstock.executor"
    write(project / "a" / "penstock.toml", 'executor = "nearest"')
    assert load_config(below, {}).executor.value == "nearest"


def test_a_pyproject_toml_without_our_table_is_passed_by(project: Path) -> None:
    write(project / "penstock.toml", 'executor = "far"')
    write(project / "a" / "pyproject.toml", '[project]\nname = "penstock-user"')
    assert load_config(project / "a", {}).executor.value == "far"


def test_penstock_config_names_the_file_that_is_used_instead(project: Path) -> None:
    write(project / "penstock.toml", 'executor = "project"')
    other = write(project / "other" / "my.toml", 'executor = "named"')
    assert load_config(project, {"PENSTOCK_CONFIG": str(other)}).executor.value == "named"
    with pytest.raises(ConfigError, match=r"variable PENSTOCK_CONFIG: names no file: 'gone\.toml'"):
        load_config(project, {"PENSTOCK_CONFIG": "gone.toml"})


def test_the_project_file_lies_over_the_user_file_key_by_key(project: Path, tmp_path: Path) -> None:
    write(
        tmp_path / "home" / "penstock" / "penstock.toml",
        """
        debug = true
        executor = "mine"
        [executors.hpc]
        use = "dask"
        address = "tcp://user"
        cluster_kwargs = { cores = 2, memory = "1GB" }
        """,
    )
    write(project / "penstock.toml", 'executor = "hpc"\nexecutors.hpc.cluster_kwargs.cores = 8')
    config = load_config(project, {"XDG_CONFIG_HOME": str(tmp_path / "home")})
    assert (config.executor.value, config.debug.value) == ("hpc", True)
    assert config.debug.origin.kind == "user file"
    assert config.profiles["hpc"].use == "dask"
    assert values(config, "hpc") == {
        "address": "tcp://user",
        "cluster_kwargs": {"cores": 8, "memory": "1GB"},
    }
    assert [path.parent.name for path in config.files] == ["project", "penstock"]


def test_an_empty_table_and_any_plain_value_replace_the_table_below(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "home/penstock/penstock.toml", "[executors.hpc]\na = { b = 1 }\nc = { d = 1 }\ne = 1")
    write(project / "penstock.toml", "[executors.hpc]\na = {}\nc = 2\ne = { f = 1 }")
    config = load_config(project, {"XDG_CONFIG_HOME": str(tmp_path / "home")})
    assert values(config, "hpc") == {"a": {}, "c": 2, "e": {"f": 1}}


def test_variables_lie_over_files_and_reach_into_mappings(configure: Configure) -> None:
    config = configure(
        '[executors.my-hpc]\nuse = "dask"\ncluster_kwargs = { cores = 8 }',
        PENSTOCK_EXECUTOR="my-hpc",
        PENSTOCK_DEBUG="yes",
        PENSTOCK_EXECUTORS__MY_HPC__ADDRESS="tcp://there",
        PENSTOCK_EXECUTORS__MY_HPC__CLUSTER_KWARGS__N_WORKERS="4",
    )
    assert (config.executor.value, config.debug.value) == ("my-hpc", True)
    assert str(config.executor.origin) == "variable PENSTOCK_EXECUTOR"
    profile = config.profiles["my_hpc"]
    assert profile.options["cluster_kwargs"].value == {"cores": 8, "n_workers": 4}
    assert profile.options["address"].text
    assert profile.options["address"].origin == Origin("variable", "PENSTOCK_EXECUTORS__MY_HPC__ADDRESS")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("debug = \n", r"penstock\.toml, line 1: is no valid TOML: Invalid value"),
        ('\n\nexecutor = "dask', r"penstock\.toml, line 3: is no valid TOML"),
        ("a = 1\nb = [\n", r"penstock\.toml, line 2: is no valid TOML"),
        ('\nexecuter = "x"', r"line 2, key 'executer': there is no such setting; did you mean 'executor'\?"),
        ("executor = 3", r"line 1, key 'executor': expected a name or a class path, got 3"),
        ('executor = ""', r"key 'executor': expected a name"),
        ("[executor.two]\nx = 1", r"a class path, got \{.*\}; a profile is the table \[executors\.NAME\]"),
        ("debug = 1", r"line 1, key 'debug': expected true or false, got 1"),
        ("executors = 3", r"key 'executors': expected a table, got 3"),
        ("[executors]\nhpc = 'x'", r"line 2, key 'executors\.hpc': expected a table of options, got 'x'"),
        ("[executors.hpc]\nuse = 3", r"line 2, key 'executors\.hpc\.use': expected a name or a class path"),
        (
            "[executors.a-b]\nx = 1\n[executors.a_b]\nx = 1",
            r"line 3, key 'executors\.a_b': is the same name as 'a-b', further up",
        ),
    ],
)
def test_a_mistake_in_a_file_is_named_with_file_line_and_key(
    configure: Configure, text: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        configure(text)
    assert caught.value.file == "penstock.toml"


def test_a_table_of_pyproject_toml_that_is_none_is_a_mistake(project: Path) -> None:
    write(project / "pyproject.toml", "[tool]\npenstock = 3")
    with pytest.raises(
        ConfigError, match=r"pyproject\.toml, line 2, key 'tool\.penstock': expected a table, got 3"
    ):
        load_config(project, {})


def test_a_file_that_is_no_text_is_a_mistake(project: Path) -> None:
    (project / "penstock.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"penstock\.toml: cannot be read"):
        load_config(project, {})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("PENSTOCK_EXECUTER", "dask", r"there is no such variable; .*did you mean 'PENSTOCK_EXECUTOR'\?"),
        ("PENSTOCK_EXECUTOR", "", r"is empty: unset it, or name an executor"),
        ("PENSTOCK_DEBUG", "perhaps", r"expected true or false, got 'perhaps'"),
        (
            "PENSTOCK_EXECUTORS__HPC",
            "dask",
            r"an option is set by PENSTOCK_EXECUTORS__PROFILE__OPTION",
        ),
        ("PENSTOCK_EXECUTORS__HPC__USE", "", r"expected a name or a class path, got nothing"),
    ],
)
def test_a_mistake_in_a_variable_is_named_with_the_variable(
    project: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=f"variable {name}: {said}"):
        load_config(project, {name: text})


def test_a_variable_for_an_option_and_one_for_a_key_in_it_contradict_each_other(project: Path) -> None:
    variables = {"PENSTOCK_EXECUTORS__A__B": "{c = 1}", "PENSTOCK_EXECUTORS__A__B__C": "2"}
    with pytest.raises(ConfigError, match="variable PENSTOCK_EXECUTORS__A__B sets the whole of it too"):
        load_config(project, variables)


def test_the_cache_is_set_by_file_and_variable(configure: Configure, project: Path) -> None:
    """A variable wins over the file; what nobody says is the user's cache folder, and 1 GiB."""
    config = configure("", XDG_CACHE_HOME="/home/me/caches")
    assert config.cache_url.value == "/home/me/caches/penstock/tasks"
    assert (config.cache_max_bytes.value, str(config.cache_max_bytes.origin)) == (1 << 30, "the default")
    config = configure('[cache]\nurl = "s3://bucket/x"\nmax_bytes = 5', PENSTOCK_CACHE__MAX_BYTES="7000")
    assert (config.cache_url.value, config.cache_max_bytes.value) == ("s3://bucket/x", 7000)
    assert str(config.cache_url.origin) == "penstock.toml, line 2, key 'cache.url'"


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
        ("", {"PENSTOCK_CACHE__MAX_BYTES": "1 GiB"}, "expected a whole number of bytes above 0, got '1 GiB'"),
        ("", {"PENSTOCK_CACHE__URL": ""}, "expected a folder or a URL"),
        ("", {"PENSTOCK_CACHE__URI": "x"}, "did you mean 'PENSTOCK_CACHE__URL'"),
        ("", {"PENSTOCK_CACHE": "x"}, "there is no such variable"),
        (
            "[limits]\ndb = 0",
            {},
            "penstock.toml, line 2, key 'limits.db': expected a whole number, 1 or more",
        ),
        (
            "[limits]\ndb = 'four'",
            {},
            "line 2, key 'limits.db': expected a whole number, 1 or more, got 'four'",
        ),
        ("[limits]\ndb = true", {}, "expected a whole number, 1 or more, got True"),
        ("[limits.db]\nmost = 4", {}, "expected a whole number, 1 or more"),
        ("limits = 4", {}, "penstock.toml, line 1, key 'limits': expected a table, got 4"),
        ("limit = 4", {}, "there is no such setting; did you mean 'limits'"),
        ("", {"PENSTOCK_LIMITS__DB": "many"}, "variable PENSTOCK_LIMITS__DB: expected a whole number"),
        ("", {"PENSTOCK_LIMITS": "4"}, "did you mean 'PENSTOCK_LIMITS__TAG'"),
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
    config = configure('[limits]\ndb = 4\n"dask-resource:GPU=1" = 2', PENSTOCK_LIMITS__API="7")
    assert {tag: limit.value for tag, limit in config.limits.items()} == {
        "db": 4,
        "dask-resource:GPU=1": 2,
        "api": 7,
    }
    assert str(config.limits["db"].origin) == "penstock.toml, line 2, key 'limits.db'"
    assert str(config.limits["api"].origin) == "variable PENSTOCK_LIMITS__API"
    assert ("limits", "db") in {setting.key for setting in config.settings}, "so `penstock config` shows it"

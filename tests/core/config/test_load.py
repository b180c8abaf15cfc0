"""The configuration: where values come from, which of them holds, and what is said of a mistake."""

import textwrap
from pathlib import Path

import pytest

from turgo.config.load import Config, load_config
from turgo.errors import ConfigError


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


def test_the_nearest_project_file_holds_and_turgo_toml_wins_over_pyproject_toml(project: Path) -> None:
    below = project / "a" / "b"
    below.mkdir(parents=True)
    write(project / "turgo.toml", 'executor = "far"')
    assert load_config(below, {}).executor.value == "far"
    write(project / "a" / "pyproject.toml", '[project]\nname = "x"\n[tool.turgo]\nexecutor = "near"')
    config = load_config(below, {})
    assert config.executor.value == "near"
    assert config.executor.origin.line == 4
    assert config.executor.origin.key == "tool.turgo.executor"
    write(project / "a" / "turgo.toml", 'executor = "nearest"')
    assert load_config(below, {}).executor.value == "nearest"


def test_a_pyproject_toml_without_our_table_is_passed_by(project: Path) -> None:
    write(project / "turgo.toml", 'executor = "far"')
    write(project / "a" / "pyproject.toml", '[project]\nname = "turgo-user"')
    assert load_config(project / "a", {}).executor.value == "far"


def test_turgo_config_names_the_file_that_is_used_instead(project: Path) -> None:
    write(project / "turgo.toml", 'executor = "project"')
    other = write(project / "other" / "my.toml", 'executor = "named"')
    assert load_config(project, {"TURGO_CONFIG": str(other)}).executor.value == "named"
    with pytest.raises(ConfigError, match=r"variable TURGO_CONFIG: names no file: 'gone\.toml'"):
        load_config(project, {"TURGO_CONFIG": "gone.toml"})


def test_the_project_file_lies_over_the_user_file_key_by_key(project: Path, tmp_path: Path) -> None:
    write(
        tmp_path / "home" / "turgo" / "turgo.toml",
        """
        debug = true
        executor = "mine"
        [executors.hpc]
        use = "dask"
        address = "tcp://user"
        cluster_kwargs = { cores = 2, memory = "1GB" }
        """,
    )
    write(project / "turgo.toml", 'executor = "hpc"\nexecutors.hpc.cluster_kwargs.cores = 8')
    config = load_config(project, {"XDG_CONFIG_HOME": str(tmp_path / "home")})
    assert (config.executor.value, config.debug.value) == ("hpc", True)
    assert config.debug.origin.kind == "user file"
    assert config.profiles["hpc"].use == "dask"
    assert values(config, "hpc") == {
        "address": "tcp://user",
        "cluster_kwargs": {"cores": 8, "memory": "1GB"},
    }
    assert [path.parent.name for path in config.files] == ["project", "turgo"]


def test_an_empty_table_and_any_plain_value_replace_the_table_below(project: Path, tmp_path: Path) -> None:
    write(tmp_path / "home/turgo/turgo.toml", "[executors.hpc]\na = { b = 1 }\nc = { d = 1 }\ne = 1")
    write(project / "turgo.toml", "[executors.hpc]\na = {}\nc = 2\ne = { f = 1 }")
    config = load_config(project, {"XDG_CONFIG_HOME": str(tmp_path / "home")})
    assert values(config, "hpc") == {"a": {}, "c": 2, "e": {"f": 1}}


@pytest.mark.parametrize("setting", ['[cache]\nurl = "/tmp/planted"', '[journal]\nfolder = "/tmp/planted"'])
def test_a_file_that_others_may_write_names_no_pickles(project: Path, setting: str) -> None:
    """They are code where they are read; whoever names the file trusts it."""
    file = project / "turgo.toml"
    file.write_text(f"{setting}\n")
    file.chmod(0o666)
    with pytest.raises(ConfigError, match=r"turgo.toml, line 2, .* everybody may write to it.*TURGO_CONFIG"):
        load_config(project, {})
    assert load_config(project, {"TURGO_CONFIG": str(file)}).files == (file,)
    file.chmod(0o644)
    assert load_config(project, {}).files == (file,)

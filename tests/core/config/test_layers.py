"""The layers of the configuration: mistakes in files and variables are named with their place."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from turgo.config.load import Config, load_config
from turgo.config.settings import Origin
from turgo.errors import ConfigError

Configure = Callable[..., Config]


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def test_variables_lie_over_files_and_reach_into_mappings(configure: Configure) -> None:
    config = configure(
        '[executors.my-hpc]\nuse = "dask"\ncluster_kwargs = { cores = 8 }',
        TURGO_EXECUTOR="my-hpc",
        TURGO_DEBUG="yes",
        TURGO_EXECUTORS__MY_HPC__ADDRESS="tcp://there",
        TURGO_EXECUTORS__MY_HPC__CLUSTER_KWARGS__n_workers="4",
        TURGO_EXECUTORS__MY_HPC__CLUSTER_KWARGS__env__OMP_NUM_THREADS="1",
        TURGO_EXECUTORS__MY_HPC__CLUSTER_KWARGS__processes="False",
    )
    assert (config.executor.value, config.debug.value) == ("my-hpc", True)
    assert str(config.executor.origin) == "variable TURGO_EXECUTOR"
    profile = config.profiles["my_hpc"]
    assert profile.options["cluster_kwargs"].value == {
        "cores": 8,
        "n_workers": 4,
        "env": {"OMP_NUM_THREADS": 1},
        "processes": False,
    }
    assert profile.options["address"].text
    assert profile.options["address"].origin == Origin("variable", "TURGO_EXECUTORS__MY_HPC__ADDRESS")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("debug = \n", r"turgo\.toml, line 1: is no valid TOML: Invalid value"),
        ("a = " + "[" * 5000, r"turgo\.toml, line 1: is no valid TOML: it is nested too deeply"),
        ("[limits]\ndb = 0x" + "f" * 5000, r"is no valid TOML: a whole number has more than 64 bits"),
        ('executor = "a\\u0000b"', r"key 'executor': expected a name or a class path, got 'a\\x00b'"),
        ('[cache]\nurl = "a\\u0000b"', r"key 'cache\.url': expected a folder or a URL"),
        ('\n\nexecutor = "dask', r"turgo\.toml, line 3: is no valid TOML"),
        ("a = 1\nb = [\n", r"turgo\.toml, line 2: is no valid TOML"),
        ('\nexecuter = "x"', r"line 2, key 'executer': there is no such setting; did you mean 'executor'\?"),
        ("executor = 3", r"line 1, key 'executor': expected a name or a class path, got 3"),
        ('executor = ""', r"key 'executor': expected a name"),
        ("[executor.two]\nx = 1", r"a class path, got \{.*\}; a profile is the table \[executors\.NAME\]"),
        ("debug = 1", r"line 1, key 'debug': expected true or false, got 1"),
        ("executors = 3", r"key 'executors': expected a table, got 3"),
        ("[executors]\nhpc = 'x'", r"line 2, key 'executors\.hpc': expected a table of options, got 'x'"),
        ("[executors.hpc]\nuse = 3", r"line 2, key 'executors\.hpc\.use': expected a name or a class path"),
        (
            '[executors."a.b"]\nx = 1',
            r"line 1, key 'executors\.a\.b': is no name that can be asked for: it holds '\.'",
        ),
        ('[executors."a/b"]\nx = 1', r"key 'executors\.a/b': is no name that can be asked for: it holds '/'"),
        ('[executors."a:b"]\nx = 1', r"key 'executors\.a:b': is no name that can be asked for: it holds ':'"),
        ('[executors." "]\nx = 1', r"key 'executors\. ': is no name that can be asked for: it is empty"),
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
    assert caught.value.file == "turgo.toml"


def test_a_table_of_pyproject_toml_that_is_none_is_a_mistake(project: Path) -> None:
    write(project / "pyproject.toml", "[tool]\nturgo = 3")
    with pytest.raises(
        ConfigError, match=r"pyproject\.toml, line 2, key 'tool\.turgo': expected a table, got 3"
    ):
        load_config(project, {})


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("TURGO_EXECUTER", "dask", r"there is no such variable; .*did you mean 'TURGO_EXECUTOR'\?"),
        ("TURGO_EXECUTOR", "", r"is empty: unset it, or name an executor"),
        ("TURGO_DEBUG", "perhaps", r"expected true or false, got 'perhaps'"),
        (
            "TURGO_EXECUTORS__HPC",
            "dask",
            r"an option is set by TURGO_EXECUTORS__PROFILE__OPTION",
        ),
        ("TURGO_EXECUTORS__HPC__USE", "", r"expected a name or a class path, got nothing"),
        ("TURGO_EXECUTORS__A.B__C", "1", r"'a\.b' is no name that can be asked for: it holds '\.'"),
        ("TURGO_PROT", "tcp://10.0.0.1:80", r"there is no such variable"),
        ("TURGO_DEBUG_SERVICE", "1", r"there is no such variable"),
    ],
)
def test_a_mistake_in_a_variable_is_named_with_the_variable(
    project: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(ConfigError, match=f"variable {name}: {said}"):
        load_config(project, {name: text})


def test_a_variable_for_an_option_and_one_for_a_key_in_it_contradict_each_other(project: Path) -> None:
    variables = {"TURGO_EXECUTORS__A__B": "{c = 1}", "TURGO_EXECUTORS__A__B__C": "2"}
    with pytest.raises(ConfigError, match="variable TURGO_EXECUTORS__A__B sets the whole of it too"):
        load_config(project, variables)


def test_two_variables_that_differ_in_case_only_are_an_error(project: Path) -> None:
    """Neither can be meant to win, wherever in the name the letters differ."""
    for one, other in (("A__B", "A__b"), ("A__B__C", "a__B__c")):
        variables = {f"TURGO_EXECUTORS__{one}": "1", f"TURGO_EXECUTORS__{other}": "2"}
        with pytest.raises(ConfigError, match=r"differs from variable \w+ in the case of letters only"):
            load_config(project, variables)


def test_a_key_within_an_option_keeps_its_case_and_is_not_taken_for_another(configure: Configure) -> None:
    """A variable in capitals does not silently stand beside the key of the file that it was meant to replace."""
    with pytest.raises(
        ConfigError, match=r"CORES: differs from turgo\.toml, line 2, .* the case counts within"
    ):
        configure("[executors.hpc]\nkwargs = { cores = 8 }", TURGO_EXECUTORS__HPC__KWARGS__CORES="16")

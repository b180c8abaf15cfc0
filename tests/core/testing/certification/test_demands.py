"""What is asked of an executor: by the command line, by the project, or as usual."""

from pathlib import Path

import pytest

from turgo.config.load import load_config
from turgo.errors import ConfigError
from turgo.testing.certification.demands import Demands


@pytest.fixture(autouse=True)
def _in_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No configuration but what a test writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TURGO_CONFIG", raising=False)


def test_the_command_line_has_precedence_over_the_project() -> None:
    """What neither says is as usual, and is not told."""
    Path("pyproject.toml").write_text(
        "[tool.turgo.certify]\nload = 50\npatience = 90\nlasting_threads = ['pool']\n"
        "failing_options = {address = 'nowhere'}\n"
    )
    demands = Demands.of({"patience": 5.0, "load": None, "lasting_threads": []})
    assert (demands.load, demands.patience, demands.huge) == (50, 5.0, Demands().huge)
    assert (demands.lasting_threads, demands.failing_options) == (("pool",), {"address": "nowhere"})
    assert demands.words().startswith("load 50, patience 5.0, lasting_threads ")
    assert Demands().words() == ""


def test_a_run_passes_over_what_is_for_the_suite() -> None:
    """In turgo.toml the table is called [certify]; neither is a mistake to a flow."""
    Path("turgo.toml").write_text("[certify]\nload = 7\n")
    assert Demands.of({}).load == 7
    assert load_config().executor.value == "local"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("laod = 3", "no such setting.*load"),
        ("load = 0", "a whole number of calls, 1 or more, got 0"),
        ("load = true", "a whole number of calls"),
        ("lasting_threads = 'pool'", "a list of the beginnings of names"),
    ],
)
def test_what_makes_no_sense_is_named_with_its_place(line: str, said: str) -> None:
    """File, line and key."""
    Path("pyproject.toml").write_text(f"[tool.turgo.certify]\n{line}\n")
    with pytest.raises(ConfigError, match=rf"pyproject.toml, line 2, key 'tool.turgo.certify.*{said}"):
        Demands.of({})

"""Observers of other packages: they are loaded by entry point, and a broken one breaks nothing."""

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from turgo.observers.installed import installed_observers

OBSERVER = """
from turgo.hooks import hookimpl

class Bell:
    @hookimpl
    def turgo_flow_finished(self, run):
        self.heard = run

class Wrong:
    @hookimpl
    def turgo_flow_finished(self, run, weather):
        pass

class Deaf:
    def turgo_flow_finished(self, run):
        pass

class Misspelt:
    @hookimpl
    def turgo_flow_finnished(self, run):
        pass

bell = Bell()
"""


@pytest.fixture
def observe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Install a distribution `turgo-bell` with an observer at each of the given places, by name."""

    def install(entries: str) -> None:
        info = tmp_path / "turgo_bell-2.1.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: turgo-bell\nVersion: 2.1\n")
        (info / "entry_points.txt").write_text(f"[turgo.observers]\n{textwrap.dedent(entries)}")
        (tmp_path / "bell_ringing.py").write_text(OBSERVER)
        (tmp_path / "bell_module.py").write_text(OBSERVER.partition("class")[0] + FUNCTION)
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


FUNCTION = """
@hookimpl
def turgo_flow_started(run):
    pass
"""


def test_observers_of_others_are_loaded(observe: Callable[[str], None]) -> None:
    """A class is made, an object and a module are taken as they are."""
    observe("a = bell_ringing:Bell\nb = bell_ringing:bell\nc = bell_module\n")
    found = {each.name: each for each in installed_observers()}
    assert type(found["a"].observer).__name__ == "Bell"
    assert type(found["b"].observer).__name__ == "Bell"
    assert getattr(found["c"].observer, "__name__", "") == "bell_module"
    assert {found[name].problem for name in "abc"} == {""}


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("bell_missing", "ModuleNotFoundError"),
        ("bell_ringing:Nothing", "AttributeError"),
        ("bell_ringing:Wrong", "weather"),
        ("bell_ringing:Deaf", "hookimpl"),
        ("bell_ringing:Misspelt", "turgo_flow_finnished"),
    ],
)
def test_a_broken_observer_breaks_nothing(observe: Callable[[str], None], value: str, problem: str) -> None:
    """It is a record with its distribution and the reason, and the others are there."""
    observe(f"good = bell_ringing:Bell\nbad = {value}\n")
    found = {each.name: each for each in installed_observers()}
    assert found["bad"].observer is None
    assert problem in found["bad"].problem
    assert found["bad"].distribution == "turgo-bell 2.1"
    assert found["good"].observer is not None

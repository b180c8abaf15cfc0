"""A group of commands whose modules are imported when they are used."""

import sys

import click
import pytest
from click.testing import CliRunner

from turgo.cli.lazy_group import LazyGroup

PLACES = {"fine": "lazily:fine", "broken": "no_such_module:command"}


@pytest.fixture
def group(tmp_path, monkeypatch):
    """A group of two commands; the module of one of them is missing."""
    text = "import click\n@click.command()\ndef fine():\n    '''Say it.'''\n    click.echo('said')\n"
    (tmp_path / "lazily.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "lazily", raising=False)
    yield click.group(cls=LazyGroup, places=PLACES)(lambda: None)
    sys.modules.pop("lazily", None)


def test_a_command_is_imported_when_it_is_used(group):
    """The others are not."""
    assert list(group.list_commands(click.Context(group))) == ["fine", "broken"]
    assert "lazily" not in sys.modules
    assert CliRunner().invoke(group, ["fine"]).output == "said\n"
    assert "lazily" in sys.modules and "no_such_module" not in sys.modules


def test_a_wrong_command_names_the_nearest(group):
    """And all that there are; nothing is imported for it."""
    result = CliRunner().invoke(group, ["fin"])
    assert result.exit_code == 2
    assert "there is no command 'fin'; there are fine, broken; did you mean 'fine'?" in result.output
    assert "lazily" not in sys.modules

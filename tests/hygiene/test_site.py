"""The site leaves nothing out: no public name, no error, no option, no setting, no page. `make docs` builds it."""

import importlib
import re
import sys
from collections.abc import Iterator
from inspect import signature
from pathlib import Path
from types import ModuleType

import attrs
import click
import pytest

from turgo.cli.root import turgo
from turgo.config.schema import KNOWN
from turgo.flows.policy.options import FlowOptions, Policy
from turgo_dask import DaskExecutor
from turgo_local import LocalExecutor
from turgo_local_dask import LocalDaskExecutor

DIRECTIVE = re.compile(r"^\.\. auto(\w+):: (\S+)((?:\n   :.*)*)", re.MULTILINE)
ENTRY = re.compile(r"^([\w/*-]+)$", re.MULTILINE)
TREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def site(root: Path) -> Iterator[dict[str, ModuleType]]:
    """The modules of tools/site, which the site is made with and which need no Sphinx."""
    before = list(sys.path)
    sys.path.insert(0, str(root))
    try:
        yield {
            name: importlib.import_module(f"tools.site.{name}")
            for name in ("command_help", "docstrings", "error_list", "links", "public_names")
        }
    finally:
        sys.path[:] = before


def pages(root: Path) -> str:
    """All pages that are written by hand, decisions aside."""
    files = [*root.glob("docs/*.md"), *root.glob("docs/flows/*.md")]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def test_every_public_name_has_a_place_in_the_reference(root: Path, site: dict[str, ModuleType]) -> None:
    """A directive shows it, or its whole module; and all that is shown is public."""
    shown: set[str] = set()
    whole: set[str] = set()
    for page in (root / "docs/reference").glob("*.md"):
        for kind, name, options in DIRECTIVE.findall(page.read_text(encoding="utf-8")):
            members = re.search(r":members:(.*)", options)
            if kind != "module":
                shown.add(name)
            elif members and members[1].strip():
                shown |= {f"{name}.{member.strip()}" for member in members[1].split(",")}
            elif members:
                whole.add(name)
    names = set(site["public_names"].public_names())
    assert {name for name in names - shown if name.rpartition(".")[0] not in whole} == set()
    assert {name for name in shown - names if not name.endswith("CAPABILITIES")} == set()


def test_every_error_has_a_remedy(site: dict[str, ModuleType]) -> None:
    """The docstring of each class says what it comes from and what to do, each class for itself."""
    errors = site["error_list"].errors()
    assert len(errors) > 40
    for error in errors:
        assert site["error_list"].cause(error), error
        assert len(site["error_list"].remedy(error)) > 10, error
    assert len({site["error_list"].remedy(error) for error in errors}) == len(errors)


def test_the_list_of_errors_has_every_class_and_its_texts(site: dict[str, ModuleType]) -> None:
    """The page has a heading for each class, and the texts of the sources with `…` for what is put in."""
    page = "\n".join(site["error_list"].page())
    for error in site["error_list"].errors():
        assert f"## `{error.__name__}`\n" in page
    for text in (
        "there is no executor …",
        "…, line …, starts processes while it is imported.",  # a constant that is formatted
        "this program comes from standard input,",  # a constant
        "there is no such setting…",  # of a method that makes the error
        "shows what holds, and [](configuration.md) which keys",  # a page, by the name of its file
    ):
        assert text in page
    assert page.count("\n- ") > 150


def commands(command: click.Command, *words: str) -> Iterator[tuple[str, click.Command]]:
    """The command, and all below it, by the words that one types."""
    yield " ".join(words), command
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below is not None
                yield from commands(below, *words, name)


def test_every_option_of_every_command_has_a_line(root: Path) -> None:
    """Each has words of help, each command a first sentence; the page shows them all, being made of the commands."""
    seen = 0
    for words, command in commands(turgo, "turgo"):
        assert command.help, words
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                seen += 1
                assert parameter.help, (words, parameter.opts)
    assert seen > 40
    page = (root / "docs/command-line.md").read_text(encoding="utf-8")
    assert ".. click:: turgo.cli.root:turgo\n   :prog: turgo\n   :nested: full\n" in page


@pytest.mark.parametrize(
    ("executor", "page"),
    [
        (LocalExecutor, "docs/executors.md"),
        (LocalDaskExecutor, "docs/executors.md"),
        (DaskExecutor, "docs/dask.md"),
    ],
)
def test_every_option_of_an_executor_has_a_line(root: Path, executor: type, page: str) -> None:
    """A row of a table begins with it."""
    text = (root / page).read_text(encoding="utf-8")
    options = [
        name for name, each in signature(executor).parameters.items() if each.kind is not each.VAR_KEYWORD
    ]
    assert [name for name in options if f"\n| `{name}` |" not in text] == []


def test_every_setting_has_a_line(root: Path) -> None:
    """A row of the table has it, and each row is one of them."""
    text = (root / "docs/configuration.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"^\| `([\w.]+)` \| .* \| .* \|$", text, re.MULTILINE))
    settings = {".".join(key).replace("*", "TAG") for key in KNOWN} | {"executors.NAME.use"}
    assert {row for row in rows if not row.startswith("TURGO")} >= settings
    assert settings >= {row for row in rows if "." in row and not row.startswith("my_")}


@pytest.mark.parametrize("options", [Policy, FlowOptions])
def test_every_option_of_tasks_and_flows_is_shown(root: Path, options: type) -> None:
    """Some page uses it, as `name=…`."""
    text = pages(root)
    assert [field.name for field in attrs.fields(options) if not re.search(rf"\b{field.name}=", text)] == []


def test_every_page_is_in_the_order_of_the_site(root: Path) -> None:
    """The index leads to each, once; those of a folder may come by a pattern."""
    listed = [
        name
        for page in ("docs/index.md", "docs/adr/README.md", "docs/flows.md")
        for tree in TREE.findall((root / page).read_text(encoding="utf-8"))
        for name in ENTRY.findall(tree)
    ]
    assert len(listed) == len(set(listed))
    for page in (root / "docs").rglob("*.md"):
        name = page.relative_to(root / "docs").with_suffix("").as_posix()
        below = name.removeprefix("adr/")
        assert name == "index" or any(
            re.fullmatch(each.replace("*", "[^/]*"), one) for each in listed for one in (name, below)
        ), f"no toctree of docs/index.md leads to {name}"


HOUSE = """First sentence with *args and a name_ in it.

path: a file, with `code` and more
on a second line. mode: how.
limit, most: numbers.
Raises ValueError.

    from turgo import task
    x = 1

Then `f()`s.
"""


def test_a_docstring_is_read_in_the_form_of_the_house(site: dict[str, ModuleType]) -> None:
    """Options become a list, indented blocks code, and marks of reStructuredText stand for themselves."""
    made = "\n".join(site["docstrings"].restructured(HOUSE.splitlines()))
    assert r"with \*args and a name\_ in it." in made
    assert (
        "\n- `path`: a file, with ``code``\\  and more\n  on a second line. mode: how.\n- `limit`, `most`: numbers.\n"
        in made
    )
    assert "\n\nRaises ValueError.\n" in made
    assert "\n.. code-block:: python\n\n    from turgo import task\n    x = 1\n" in made
    assert made.endswith("Then ``f()``\\ s.")


def test_a_page_that_a_docstring_names_is_a_link(site: dict[str, ModuleType]) -> None:
    """By the name of its file; in code it stays as it is."""
    made = list(site["docstrings"].restructured(["`docs/runs.md`, and docs/flow-code.md *says*."]))
    assert made == [r"``docs/runs.md``\ , and :doc:`/flow-code` \*says\*."]


HELP = """Run the flow.

|   turgo run census.py --resume      from there
|   turgo graph census.py             --to svg

| Exit codes: 0 success."""


def test_examples_of_the_commands_are_code(site: dict[str, ModuleType]) -> None:
    """What click keeps as it is, and is indented, is a block with its columns; a line of text is one."""
    help_lines = HELP.splitlines()
    site["command_help"].on_description(None, None, help_lines)
    assert "\n".join(help_lines) == (
        "Run the flow.\n\n\n.. code-block:: text\n\n"
        "    turgo run census.py --resume      from there\n    turgo graph census.py             --to svg\n"
        "\n\nExit codes: 0 success."
    )


def test_links_that_leave_the_pages_give_the_file(site: dict[str, ModuleType]) -> None:
    """A file of the checkout is given as it is, of a folder its README; a link to another page stays."""
    links = "[a](../examples/census.py) [b](../plugins/local) [c](flows.md#mapping) [d](../SECURITY.md)"
    given = links.replace("(../", "(path:../").replace("plugins/local", "plugins/local/README.md")
    for page, written, read in (
        ("executors", links, given),
        ("reference/runs", "[a](../flows.md)", "[a](../flows.md)"),
    ):
        source = [written]
        site["links"].on_source(None, page, source)
        assert source == [read]

"""What somebody types: executors, flows, options, parameters, tags and labels. A slip is refused with one sentence."""

from __future__ import annotations

import contextlib
import datetime
import enum
import sys
import typing
from pathlib import Path
from typing import Any, Literal

import click
import pytest
from hypothesis import strategies as st

from turgo import Executor, flow, task
from turgo.cli.parameters import _pairs, read_parameters
from turgo.config.convert import admits
from turgo.config.load import load_config
from turgo.config.settings import Origin
from turgo.errors import FlowFileError
from turgo.flows.files.flow_file import load_flow
from turgo.flows.labels import check_label, made_label
from turgo.registry.options import check_options, option_specs
from turgo.registry.precedence import options_given
from turgo.registry.resolve import Registry
from turgo.registry.source_files import load_source
from turgo_dask.calls.tags import placement_of

inputs = load_source(Path(__file__).with_name("inputs.py"))
fuzzed, refused_or_taken = inputs.fuzzed, inputs.refused_or_taken

REQUESTS = (
    "local",
    "local_dask",
    "turgo-dask/dask",
    "hpc",
    "canary:Canary",
    "canary.Canary",
    "./canary.py:Canary",
    "./canary.py",
    "turgo_local.executor:LocalExecutor",
    "turgo_dask.DaskExecutor",
    "~/x.py:Y",
    "a/b/c",
    "/",
)
REQUEST_PIECES = (
    ":",
    ".",
    "/",
    "\\",
    "~",
    "~nobody-here/",
    "..",
    "./",
    ".py",
    ":" * 50,
    "\0",
    "\n",
    " ",
    "é",
    "\ud800",
    "-",
    "_",
    "a" * 300,
    "canary",
    "Canary",
    "__init__",
    "LocalExecutor",
    "turgo_local",
    "local",
    "/dev/null",
    "/proc/self/mem.py",
)
TOKENS = (
    "4",
    "1.5",
    "true",
    "none",
    '"text"',
    "'",
    "[1, 2]",
    "{a = 1}",
    "{",
    "[" * 3000,
    "1e999",
    "nan",
    "inf",
    "-0",
    "0x" + "f" * 5000,
    "9" * 400,
    "9" * 5000,
    "1979-05-27",
    "1979-05-27T07:32:00Z",
    "25:00",
    "1_0",
    "0o7",
    "\n",
    "= 1",
    "\ud800",
    "\0",
    "²",
    "٣",
    "red",
    "RED",
    "a/b",
    "x = 1",
    "#",
    ".5",
    "1+2j",
    "yes",
    "{ env = 'HOME' }",
    "",
)
TAGS = (
    "dask-resource:GPU=1",
    "dask-priority:10",
    "dask-workers:tcp://10.0.0.5:40001,alice",
    "dask-allow-other-workers",
    "db",
    "dask-workers:0,1",
)
TAG_PIECES = (
    "dask-",
    "resource:",
    "priority:",
    "workers:",
    "=",
    ",",
    ":",
    "GPU",
    "0",
    "²",
    "٣",
    "1e400",
    "nan",
    "-1",
    "9" * 30,
    "9" * 5000,
    "\n",
    "\0",
    "\ud800",
    " ",
    "10",
)
LABELS = ("{path.name}", "{row[id]:>5}", "{path!r:.{limit}}", "{limit:,}", "of {row}", "{self}")
LABEL_PIECES = (
    "{",
    "}",
    "{{",
    "}}",
    "!",
    "!r",
    "!x",
    ":",
    "[",
    "]",
    ".",
    "0",
    "path",
    "limit",
    "row",
    "{}",
    "{0}",
    "{limit:",
    "}}}",
    "{path.__class__}",
    "{limit.__class__.__init__.__globals__}",
    ":99999999999}",
    ":>1000000}",
    "\n",
    "\0",
    "\ud800",
)


class Colour(enum.Enum):
    """A choice."""

    RED = "red"
    GREEN = "green"


class Typed(Executor):
    """One with options of all kinds."""

    def __init__(
        self,
        text: str = "",
        number: int = 0,
        share: float = 0.0,
        limit: float | None = None,
        fast: bool = False,
        either: int | str | None = None,
        names: list[str] | None = None,
        pair: tuple[int, float] = (0, 0.0),
        some: set[int] = frozenset(),  # type: ignore[assignment]
        kwargs: dict[str, Any] | None = None,
        counts: dict[str, int] | None = None,
        colour: Colour = Colour.RED,
        day: datetime.date | None = None,
        moment: datetime.datetime | None = None,
        path: Path | None = None,
        kind: Literal["a", 1] = "a",
        odd: complex = 0j,
        anything: Any = None,
        **others: int,
    ) -> None:
        pass

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        """Nothing is."""
        raise NotImplementedError


OPTIONS = {each.name: each.annotation for each in option_specs(Typed) if each.kind == "option"}

PAIRS = st.dictionaries(
    st.one_of(
        st.sampled_from(
            (*OPTIONS, "kwargs.n_workers", "counts.a.b", "kwargs.", ".", "text.x", "other", "a" * 300)
        ),
        inputs.WILD,
    ),
    st.one_of(st.sampled_from(TOKENS), inputs.mutated_text(TOKENS, TOKENS)),
    max_size=3,
)


@pytest.fixture(scope="module")
def registry(folder: Path) -> Registry:
    """Of a project without settings."""
    return Registry(load_config(folder, {}))


@fuzzed(inputs.mutated_text(REQUESTS, REQUEST_PIECES))
def test_a_request_of_a_file_that_others_may_write_runs_nothing(
    folder: Path, registry: Registry, text: str
) -> None:
    """It leads to an installed executor, or is refused with one sentence."""
    with refused_or_taken():
        found = registry.resolve(
            text, origin=Origin("project file", "turgo.toml", folder=folder, doubt="it is open")
        )
        assert found.spec is not None, "an installed plugin's"
    assert "canary" not in sys.modules


@fuzzed(inputs.mutated_text(("canary.py", "canary.py:flow", "canary", "none.py:x"), REQUEST_PIECES))
def test_a_flow_that_is_asked_for_and_is_none_is_refused_with_one_sentence(folder: Path, text: str) -> None:
    """No folder, no file and no name leads anywhere else."""
    if "canary" not in text and text.isprintable() and "/" not in text:
        return  # it may name a module, which may do anything
    path = list(sys.path)
    try:
        with pytest.raises(FlowFileError):
            load_flow(text)
    finally:
        sys.path[:] = path


def given(texts: dict[str, str]) -> dict[str, str]:
    """The texts as the command line takes them; nothing of what it refuses."""
    try:
        return _pairs(
            click.Context(click.Command("run")), None, tuple(f"{key}={text}" for key, text in texts.items())
        )
    except click.UsageError:
        return {}


@fuzzed(PAIRS)
def test_an_option_has_its_type_or_is_refused_with_one_sentence(texts: dict[str, str]) -> None:
    """What is declared as text stays as it was written."""
    with refused_or_taken():
        values = check_options(Typed, options_given({}, given(texts)))
        for name, value in values.items():
            assert admits(value, OPTIONS.get(name, int)), (name, value)
            assert name != "text" or value == texts["text"]


@fuzzed(PAIRS)
def test_so_has_a_parameter_of_a_flow(texts: dict[str, str]) -> None:
    """By the same rule."""
    with refused_or_taken():
        for name, value in read_parameters(FLOW, given(texts)).items():
            assert admits(value, PARAMETERS.get(name, int)), (name, value)


def parameters(
    text: str = "",
    number: int = 0,
    share: float = 0.0,
    limit: float | None = None,
    fast: bool = False,
    names: list[str] | None = None,
    kwargs: dict[str, Any] | None = None,
    day: datetime.date | None = None,
    path: Path | None = None,
    kind: Literal["a", 1] = "a",
    anything: Any = None,
    **others: int,
) -> None:
    """A flow of nothing."""


FLOW = flow(parameters)
PARAMETERS = typing.get_type_hints(parameters)


@fuzzed(st.lists(inputs.mutated_text(TAGS, TAG_PIECES), max_size=3))
def test_tags_place_a_call_or_are_refused_with_one_sentence(tags: list[str]) -> None:
    """What is accepted can be sent to a scheduler."""
    task(tags=tags)(len)
    with refused_or_taken():
        placement = placement_of(tags)
        options = placement.options
        assert all(0 < amount < float("inf") for amount in options.get("resources", {}).values())
        assert abs(options.get("priority", 0)) < 2**63
        placement.allows(
            "tcp://10.0.0.5:40001", {"name": "alice", "host": "10.0.0.5", "resources": {"GPU": 2}}
        )
        assert isinstance(str(placement), str)


def measured(path: Path, row: dict[str, int], limit: int = 3) -> None:
    """What labels are about."""


@fuzzed(inputs.mutated_text(LABELS, LABEL_PIECES))
def test_a_label_is_one_short_line_or_refused(label: str) -> None:
    """One that is accepted may fail on what it is given, which is told in its place."""
    with refused_or_taken():
        made = task(label=label)(measured)
        check_label("measured", label, made.fn, made.signature)
        given = {"path": Path("a/b.txt"), "row": {"id": 7}, "limit": 3}
        with contextlib.suppress(
            ValueError, LookupError, AttributeError, TypeError, OverflowError, MemoryError
        ):
            shown = made_label(label, made.fn, given)
            assert len(shown) <= 100 and shown.isprintable()

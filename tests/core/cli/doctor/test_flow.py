"""What the doctor says of a flow: imports, what cannot be sent, what it requires."""

import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from turgo import flow, task
from turgo.cli.doctor.findings import OK, WRONG
from turgo.cli.doctor.flow import imports_of, offered, sendable
from turgo.errors import OptionError
from turgo.executor import Executor
from turgo.flows.files.flow_file import load_flow
from turgo.futures import call_now
from turgo.registry.source_files import load_source


class Grid(Executor):
    """Has cranes, and knows its own tags."""

    capabilities = frozenset({"resources"})
    resource_tag = "grid:{name}={amount}"

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Future[Any]:
        return call_now(fn, *args, **kwargs)

    def offers(self, requirement: str) -> bool:
        return requirement in ("resources", "resources:CRANE")

    def check_tags(self, tags: Any) -> None:
        if any(tag.startswith("grid:") and not tag.endswith("1") for tag in tags):
            raise OptionError("one crane is the most", option="tags")


@task
def held(lock: object, names: tuple[str, ...] = ()) -> int:
    return 1


def test_installed_packages_that_the_files_of_a_flow_import(tmp_path: Path) -> None:
    """Also within functions; neither the standard library, turgo, the files beside it, nor what others import."""
    elsewhere = tmp_path / "elsewhere" / "own.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text("import click\n")
    load_source(elsewhere)
    tmp_path = tmp_path / "here"
    tmp_path.mkdir()
    (tmp_path / "beside_it.py").write_text("import attrs\n")
    file = tmp_path / "reads.py"
    file.write_text(
        "import json\nimport beside_it\nfrom turgo import flow, task\n"
        "@task\ndef read():\n    import pluggy.hooks\n    return 1\n@flow\ndef reads():\n    return read()\n"
    )
    assert imports_of(load_flow(str(file)).record()) == ["attrs", "pluggy"]


def test_an_argument_that_cannot_be_sent_is_named() -> None:
    """By its parameter and the part of it; also within a list beside a result."""

    @flow
    def locks() -> Any:
        first = held(1)
        return held({"door": threading.Lock()}), held([first, threading.Lock()])

    texts = [each.text for each in sendable(locks.record()) if each.mark == WRONG]
    assert len(texts) == 2
    assert "lock['door'] (a lock) of held cannot be pickled" in texts[0]


def test_a_function_that_cannot_be_sent_is_named(tmp_path: Path) -> None:
    """With the global that is at fault."""
    file = tmp_path / "streams.py"
    file.write_text(
        "from turgo import flow, task\nLOG = (n for n in 'ab')\n"
        "@task\ndef note():\n    return next(LOG)\n@flow\ndef notes():\n    return note()\n"
    )
    loaded = load_flow(str(file))
    (finding,) = sendable(loaded.record())
    assert finding.mark == WRONG
    assert "LOG" in finding.text


def test_a_flow_that_can_be_sent_says_so() -> None:
    """With the number of its tasks."""

    @flow
    def fine() -> Any:
        return held.map([1, 2, 3])

    (finding,) = sendable(fine.record())
    assert finding.mark == OK
    assert finding.text.startswith("fine: 1 task")


@pytest.mark.parametrize(
    ("tags", "requires", "said"),
    [
        (["grid:CRANE=1"], set(), []),
        (["grid:GPU=1"], set(), ["the task lift requires resources:GPU"]),
        (["grid:CRANE=2"], set(), ["the task lift: one crane is the most"]),
        (["night"], {"parallel"}, ["the flow requires parallel"]),
    ],
)
def test_what_is_asked_of_workers_and_not_offered(
    tags: list[str], requires: set[str], said: list[str]
) -> None:
    """By the flow, or by a tag of a task."""

    @task(tags=tags)
    def lift() -> int:
        return 1

    @flow(requires=requires)
    def lifting() -> Any:
        return lift()

    with Grid().start() as executor:
        texts = [each.text for each in offered(lifting.record(), executor)]
    assert [text.partition(", which")[0] for text in texts] == said

"""What the pages on flows show is true on every executor: each Python block is a program that runs to its end.

`make test` runs each on `local` and on one other executor, the next one for each block.
"""

import os
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from turgo.registry.source_files import load_source

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    page.stem: page.read_text(encoding="utf-8")
    for page in (DOCS / "flows.md", *sorted(DOCS.glob("flows/*.md")))
}
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)

CHOICES = {
    "local": {"EXECUTOR": "local"},
    "threads": {"EXECUTOR": "local_dask", "EXECUTORS__LOCAL_DASK__NUM_WORKERS": "2"},
    "processes": {
        "EXECUTOR": "local_dask",
        "EXECUTORS__LOCAL_DASK__SCHEDULER": "processes",
        "EXECUTORS__LOCAL_DASK__NUM_WORKERS": "2",
    },
    "synchronous": {"EXECUTOR": "local_dask", "EXECUTORS__LOCAL_DASK__SCHEDULER": "synchronous"},
    "dask": {"EXECUTOR": "dask"},
}


def words(heading: str) -> str:
    """A heading as it can stand in a test's name."""
    return re.sub(r"\W+", "-", heading).strip("-").lower()


def blocks(page: str) -> Iterator[tuple[str, str]]:
    """The programs of a page, each by the page, the last heading above it and its line."""
    text = PAGES[page]
    for match in BLOCK.finditer(text):
        above = [each[1] for each in HEADING.finditer(text, 0, match.start())]
        line = text.count("\n", 0, match.start()) + 1
        yield f"{page}-{words(above[-1] if above else 'top')}-line-{line}", match[1]


BLOCKS = {name: block for page in PAGES for name, block in blocks(page)}


def runs(*choices: str) -> Iterator[object]:
    """A parameter for each block on each of these executors."""
    local, *others = CHOICES
    for choice in choices:
        for number, block in enumerate(BLOCKS):
            rest = choice not in (local, others[number % len(others)])
            marks = [pytest.mark.cluster] * (choice == "dask") + [pytest.mark.matrix] * rest
            yield pytest.param(choice, block, marks=marks)


@pytest.fixture(scope="module")
def scheduler_address() -> Iterator[str]:
    """That of a cluster which all blocks share, as a run of their own each would be slow."""
    with LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def play(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Load a block as a flow file is, in an empty folder, by an executor that variables name."""

    def load(block: str, **variables: str) -> None:
        for name in [name for name in os.environ if name.startswith("TURGO_")]:
            monkeypatch.delenv(name)
        for name, value in variables.items():
            monkeypatch.setenv(f"TURGO_{name}", value)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "path", [*sys.path])
        file = tmp_path / "program.py"
        file.write_text(BLOCKS[block], encoding="utf-8")
        load_source(file)

    return load


@pytest.mark.parametrize(("choice", "block"), list(runs(*(choice for choice in CHOICES if choice != "dask"))))
def test_each_program_of_the_page_runs_to_its_end(choice: str, block: str, play: Callable[..., None]) -> None:
    """Here, in threads and in processes."""
    play(block, **CHOICES[choice])


@pytest.mark.parametrize(("choice", "block"), list(runs("dask")))
def test_each_program_of_the_page_runs_to_its_end_on_a_cluster(
    choice: str, block: str, play: Callable[..., None], scheduler_address: str
) -> None:
    """One that is up already."""
    play(block, **CHOICES[choice], EXECUTORS__DASK__ADDRESS=scheduler_address)


def test_every_chapter_shows_a_program() -> None:
    """No heading of a page stands without one."""
    shown = {name.rpartition("-line-")[0] for name in BLOCKS}
    headings = {
        f"{page}-{words(heading)}" for page, text in PAGES.items() for heading in HEADING.findall(text)
    }
    assert len(headings) > 20 and shown >= headings

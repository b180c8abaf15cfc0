"""What the pages on flows show is true on every executor: each Python block is a program that runs to its end.

`make test` runs each on `local` and on one other executor, the next one for each block.
"""

import os
import re
import sys
from collections.abc import Iterator
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


def runs() -> Iterator[object]:
    """A parameter for each block on each executor."""
    local, *others = CHOICES
    for choice in CHOICES:
        for number, block in enumerate(BLOCKS):
            rest = choice not in (local, others[number % len(others)])
            marks = [pytest.mark.cluster] * (choice == "dask") + [pytest.mark.matrix] * rest
            yield pytest.param(choice, block, marks=marks)


@pytest.fixture(scope="module")
def choice(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The variables that choose an executor; all blocks share one cluster, as a run of their own each would be slow."""
    variables = {f"TURGO_{name}": value for name, value in CHOICES[request.param].items()}
    if request.param != "dask":
        yield variables
        return
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        worker_dashboard_address="127.0.0.1:0",
    ) as cluster:
        yield {**variables, "TURGO_EXECUTORS__DASK__ADDRESS": cluster.scheduler_address}


@pytest.mark.parametrize(("choice", "block"), list(runs()), indirect=["choice"])
def test_each_program_of_the_page_runs_to_its_end(
    choice: dict[str, str], block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block is loaded as a flow file is, in an empty folder, by an executor that variables name."""
    for name in [name for name in os.environ if name.startswith("TURGO_")]:
        monkeypatch.delenv(name)
    for name, value in choice.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    file = tmp_path / "program.py"
    file.write_text(BLOCKS[block], encoding="utf-8")
    load_source(file)


def test_every_chapter_shows_a_program() -> None:
    """No heading of a page stands without one."""
    shown = {name.rpartition("-line-")[0] for name in BLOCKS}
    headings = {
        f"{page}-{words(heading)}" for page, text in PAGES.items() for heading in HEADING.findall(text)
    }
    assert len(headings) > 20 and shown >= headings

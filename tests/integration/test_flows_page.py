"""What docs/flows.md shows is true on every executor: each Python block of it is a program that runs to its end."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from turgo.registry.source_files import load_source

PAGE = Path(__file__).parents[2] / "docs" / "flows.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
TEXT = PAGE.read_text(encoding="utf-8")

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


def heading(position: int) -> str:
    """The words of the last heading above a position of the page, as they can stand in a test's name."""
    above = [match[1] for match in HEADING.finditer(TEXT, 0, position)]
    return re.sub(r"\W+", "-", above[-1] if above else "top").strip("-").lower()


BLOCKS = {
    f"{heading(match.start())}-line-{TEXT.count(chr(10), 0, match.start()) + 1}": match[1]
    for match in BLOCK.finditer(TEXT)
}


@pytest.fixture(
    scope="module", params=[pytest.param(c, marks=[pytest.mark.cluster] * (c == "dask")) for c in CHOICES]
)
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


@pytest.mark.parametrize("block", BLOCKS)
def test_each_program_of_the_page_runs_to_its_end(
    block: str, choice: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
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
    """No heading of the page stands without one."""
    shown = {name.rpartition("-line-")[0] for name in BLOCKS}
    assert shown >= {re.sub(r"\W+", "-", name).strip("-").lower() for name in HEADING.findall(TEXT)}

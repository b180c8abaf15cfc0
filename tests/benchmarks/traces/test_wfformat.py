"""Files of WfFormat, in the forms that its versions gave them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from benchmarks.traces import wfformat
from benchmarks.traces.families import FAMILIES
from benchmarks.traces.trace import TraceError, TraceTask


def written(tmp_path: Path, instance: Any) -> Path:
    path = tmp_path / "instance.json"
    path.write_text(json.dumps(instance), encoding="utf-8")
    return path


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_written_is_read_back_as_it_was(tmp_path: Path, family: str) -> None:
    """Names, kinds, times, parents and order survive the file."""
    trace = FAMILIES[family]()
    path = tmp_path / "trace.json"
    wfformat.write(trace, path)
    assert wfformat.read(path) == trace


def test_from_1_5_on_tasks_and_their_execution_are_joined_by_id(tmp_path: Path) -> None:
    """The parts of a file say what there is and how long it took; other properties are passed over."""
    instance = {
        "name": "two",
        "schemaVersion": "1.6",
        "workflow": {
            "specification": {
                "tasks": [
                    {
                        "name": "sum_ID02",
                        "id": "ID02",
                        "parents": ["ID01"],
                        "children": [],
                        "inputFiles": ["a"],
                    },
                    {"name": "split_ID01", "id": "ID01", "parents": [], "children": ["ID02"]},
                ],
                "files": [{"id": "a", "sizeInBytes": 1}],
            },
            "execution": {
                "makespanInSeconds": 3,
                "executedAt": "2026-01-01T00:00:00Z",
                "tasks": [
                    {"id": "ID01", "runtimeInSeconds": 1, "coreCount": 1},
                    {"id": "ID02", "runtimeInSeconds": 2.5, "command": {"program": "/bin/total"}},
                ],
            },
        },
    }
    trace = wfformat.read(written(tmp_path, instance))
    assert trace.name == "two"
    assert trace.tasks == (TraceTask("ID01", "split", 1.0), TraceTask("ID02", "total", 2.5, ("ID01",)))


@pytest.mark.parametrize("seconds", ["runtimeInSeconds", "runtime"])
def test_up_to_1_4_there_is_one_list_and_parents_are_names(tmp_path: Path, seconds: str) -> None:
    """Version 1.4 calls the time runtimeInSeconds, 1.3 runtime; a category is the kind."""
    tasks = [
        {
            "name": "cat_ID000002",
            "id": "2",
            "parents": ["blastall_ID000001"],
            seconds: 2,
            "category": "gather",
        },
        {"name": "blastall_ID000001", "id": "1", "parents": [], seconds: 1},
    ]
    instance = {"name": "old", "schemaVersion": "1.4", "workflow": {"tasks": tasks}}
    assert wfformat.read(written(tmp_path, instance)).tasks == (
        TraceTask("blastall_ID000001", "blastall", 1.0),
        TraceTask("cat_ID000002", "gather", 2.0, ("blastall_ID000001",)),
    )


@pytest.mark.parametrize(
    "instance",
    [
        {"name": "no workflow"},
        ["a list"],
        {"workflow": {"specification": {"tasks": [{"name": "a", "id": "a", "parents": []}]}}},
        {"workflow": {"tasks": [{"name": "a", "parents": []}]}},
    ],
)
def test_a_file_without_tasks_or_times_is_refused_with_its_path(tmp_path: Path, instance: Any) -> None:
    """What cannot be replayed is an error that names the file."""
    path = written(tmp_path, instance)
    with pytest.raises(TraceError, match=str(path)):
        wfformat.read(path)


def test_a_file_that_is_no_json_is_refused_with_its_path(tmp_path: Path) -> None:
    """The same for a text that is cut off."""
    path = tmp_path / "cut.json"
    path.write_text('{"workflow": ', encoding="utf-8")
    with pytest.raises(TraceError, match=str(path)):
        wfformat.read(path)

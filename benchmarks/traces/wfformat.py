"""Traces as files of WfFormat, the schema in which WfCommons publishes workflows that were really run.

    1.3, 1.4   workflow.tasks              name, category, runtime(InSeconds), parents (names)
    1.5, 1.6   workflow.specification      name, id, parents (ids)
               workflow.execution          id, runtimeInSeconds, command

Files, machines and everything else that says nothing of order and time is passed over. https://wfcommons.org/format
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.traces.trace import Trace, TraceError, TraceTask, ordered

_NUMBER = re.compile(r"[_-](ID)?\d+$")
"""What stands behind the kind of a task in its name: `blastall_ID000002`."""
_VERSION = "1.5"


def read(path: Path) -> Trace:
    """The trace of a file. Raises TraceError if it is none, or does not say how long its tasks took."""
    try:
        instance = json.loads(path.read_text(encoding="utf-8"))
        workflow = instance["workflow"]
        tasks = list(_of_parts(workflow) if "specification" in workflow else _of_one_list(workflow))
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise TraceError(f"{path} is no instance of WfFormat 1.3 to 1.6 with times: {error!r}") from error
    return ordered(str(instance.get("name", path.stem)), tasks)


def _of_parts(workflow: Mapping[str, Any]) -> Iterator[TraceTask]:
    """From 1.5 on: what the tasks are, and apart from it what their execution was."""
    executed = {each["id"]: each for each in workflow["execution"]["tasks"]}
    for each in workflow["specification"]["tasks"]:
        execution = executed[each["id"]]
        program = execution.get("command", {}).get("program")
        yield TraceTask(
            name=each["id"],
            kind=Path(program).name if program else _kind(each["name"]),
            seconds=float(execution["runtimeInSeconds"]),
            parents=tuple(each.get("parents", ())),
        )


def _of_one_list(workflow: Mapping[str, Any]) -> Iterator[TraceTask]:
    """Up to 1.4: one list, whose tasks refer to each other by name."""
    for each in workflow["tasks"]:
        seconds = each["runtimeInSeconds"] if "runtimeInSeconds" in each else each["runtime"]
        yield TraceTask(
            name=each["name"],
            kind=each.get("category") or _kind(each["name"]),
            seconds=float(seconds),
            parents=tuple(each.get("parents", ())),
        )


def _kind(name: str) -> str:
    return _NUMBER.sub("", name) or name


def write(trace: Trace, path: Path) -> None:
    """Write it in version 1.5, as short as the schema allows."""
    specification = [
        {
            "name": task.kind,
            "id": task.name,
            "parents": [*task.parents],
            "children": trace.children[task.name],
        }
        for task in trace.tasks
    ]
    execution = [
        {"id": task.name, "runtimeInSeconds": task.seconds, "command": {"program": task.kind}}
        for task in trace.tasks
    ]
    instance = {
        "name": trace.name,
        "schemaVersion": _VERSION,
        "workflow": {
            "specification": {"tasks": specification},
            "execution": {
                "makespanInSeconds": trace.critical_path,
                "executedAt": "2026-01-01T00:00:00+00:00",  # required by the schema; nothing ran
                "tasks": execution,
            },
        },
    }
    path.write_text(json.dumps(instance, indent=1) + "\n", encoding="utf-8")

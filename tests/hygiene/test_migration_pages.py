"""The pages for those who come from other libraries: their tables leave nothing out, and name what is there.

That both sides of each example run, with the same result, is shown where all pages are played.
"""

import inspect
import re
from pathlib import Path
from typing import get_args

import attrs
import pytest

import turgo
from turgo.flows.policy.options import FlowOptions, Policy
from turgo.flows.policy.triggers import TriggerName
from turgo_dask import DaskExecutor

# As the signatures of Prefect 1.4 have them, those of its classes `Task`, `Flow`, `DaskExecutor` and its `triggers`.
TASK = (
    "name slug tags max_retries retry_delay retry_on timeout trigger skip_on_upstream_skip cache_for cache_validator "
    "cache_key checkpoint state_handlers on_failure log_stdout result target task_run_name nout"
)
FLOW = (
    "name schedule executor run_config storage tasks edges reference_tasks state_handlers on_failure validate result "
    "terminal_state_handler"
)
DASK = (
    "address cluster_class cluster_kwargs adapt_kwargs client_kwargs debug performance_report_path "
    "disable_cancellation_event"
)
PREFECT_TRIGGERS = (
    "all_successful all_finished always_run all_failed any_successful any_failed some_successful some_failed "
    "not_all_skipped manual_only"
)
VALIDATORS = "never_use duration_only all_inputs all_parameters partial_inputs_only partial_parameters_only"

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`]+)`")


@pytest.fixture
def prefect(root: Path) -> str:
    """The page on Prefect."""
    return (root / "docs/migration-prefect.md").read_text(encoding="utf-8")


def rows(page: str, head: str) -> list[tuple[str, str]]:
    """The rows of the table below the first line that begins so: what is there, and what is here."""
    lines = page[page.index(head) :].splitlines()
    first = next(number for number, line in enumerate(lines) if line.startswith("| ---"))
    found = []
    for line in lines[first + 1 :]:
        if not line.startswith("|"):
            break
        there, here = line.strip("| ").split(" | ")
        found.append((there, here))
    return found


def names(cell: str) -> set[str]:
    """The names at the beginning of each piece of code: `retry_delay` of `retry_delay=timedelta(seconds=5)`."""
    return {found[0] for code in CODE.findall(cell) if (found := re.match(r"\w+", code))}


@pytest.mark.parametrize(
    ("head", "known"),
    [
        ("| `@task(…)` there", TASK),
        ("| `Flow(…)` there", FLOW),
        ("## Triggers", PREFECT_TRIGGERS),
        ("| `cache_validator` there", VALIDATORS),
    ],
)
def test_the_tables_have_all_that_prefect_has(prefect: str, head: str, known: str) -> None:
    """Each option, trigger and validator has a row."""
    told = set().union(*(names(there) for there, _ in rows(prefect, head)))
    assert set(known.split()) - told == set()


def test_the_table_of_executors_has_each_argument(prefect: str) -> None:
    """Of all three."""
    told = "\n".join(there for there, _ in rows(prefect, "## Executors"))
    assert re.findall(r"`DaskExecutor\((\w+)=…\)`", told) == DASK.split()
    assert "LocalExecutor()" in told and "LocalDaskExecutor(scheduler=…)" in told


def test_what_it_is_called_here_is_there(prefect: str) -> None:
    """An option of tasks or flows, a trigger, an argument of the executor."""
    options = {field.name for field in attrs.fields(Policy)} | {"name"}
    for there, here in rows(prefect, "| `@task(…)` there"):
        pieces = [piece for code in CODE.findall(here) for piece in re.split(r", (?=\w+=)", code)]
        told = [found[1] for piece in pieces if (found := re.match(r"(\w+)(?:=|$)", piece))]
        assert options.issuperset(told), f"{there}: {told}"
    for there, here in rows(prefect, "| `Flow(…)` there"):
        if re.fullmatch(r"`\w+`", here):
            known = {field.name for field in attrs.fields(FlowOptions)} | {"name", "executor"}
            assert here.strip("`") in known, there
    for there, here in rows(prefect, "## Triggers"):
        for code in CODE.findall(here):
            known_trigger = code.strip('"') in get_args(TriggerName) or hasattr(turgo, code.partition("(")[0])
            assert known_trigger or code.startswith("lambda") or code == "TaskState", there
    parameters = inspect.signature(DaskExecutor).parameters
    arguments = [here for there, here in rows(prefect, "## Executors") if there.startswith("`DaskExecutor(")]
    assert all(CODE.findall(here)[0] in parameters for here in arguments[1:-1])


@pytest.mark.parametrize("page", ["migration.md", "migration-prefect.md"])
def test_what_cannot_run_here_is_python_all_the_same(root: Path, page: str) -> None:
    """The blocks that the pages are not played with: those of Prefect, which does not install."""
    found = BLOCK.findall((root / "docs" / page).read_text(encoding="utf-8"))
    for kind, text in found:
        if kind in ("py", "python"):
            compile(text, page, "exec")
    assert ("py" in dict(found)) == (page == "migration-prefect.md")

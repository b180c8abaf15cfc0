"""Workers against the driver: what has to be the same, what may differ, what is missing."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import pytest

from turgo.cli.doctor import workers as module
from turgo.cli.doctor.findings import NOTE, OK, WRONG
from turgo.cli.doctor.workers import answers, differences, workers
from turgo.errors import ExecutorStartError
from turgo.executor import Executor
from turgo.registry.precedence import get_executor

HERE = {"python": "3.13.1", "turgo": "0.1.0", "cloudpickle": "3.1.2", "dask": None}


class Processes(Executor):
    """Two processes of this machine."""

    capabilities = frozenset({"parallel"})
    slots = 2

    @contextmanager
    def start(self) -> Iterator["Processes"]:
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as self._pool:
            yield self

    def submit(self, fn: Callable[..., Any], /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        return self._pool.submit(fn, *args, **kwargs)


class Deaf(Executor):
    """No call is ever answered."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Any:
        return Future()

    def hindrance(self) -> str:
        return "all machines are asleep"


def worker(**versions: str | None) -> dict[str, Any]:
    """What one of them answers."""
    return {"name": "east:1", "versions": {**HERE, **versions}, "missing": [], "executable": "/there/python"}


@pytest.mark.parametrize(
    ("versions", "mark", "mend"),
    [
        ({"python": "3.12.9"}, WRONG, "run the workers with Python 3.13"),
        ({"cloudpickle": "2.2.0"}, WRONG, "there: pip install cloudpickle==3.1.2"),
        ({"cloudpickle": None}, WRONG, "there: pip install cloudpickle==3.1.2"),
        ({"cloudpickle": "3.0.0"}, NOTE, "there: pip install cloudpickle==3.1.2"),
        ({"turgo": "0.0.9"}, NOTE, "there: pip install turgo==0.1.0"),
    ],
)
def test_what_differs_is_said_with_what_mends_it(
    versions: dict[str, str | None], mark: str, mend: str
) -> None:
    """Wrong is what breaks pickles; the rest is to know of."""
    (finding,) = differences(HERE, [worker(**versions)])
    assert (finding.mark, finding.mend) == (mark, mend)
    assert "east:1" in finding.text


@pytest.mark.parametrize("versions", [{}, {"python": "3.13.7"}, {"turgo": None}, {"dask": "2026.8"}])
def test_what_need_not_be_the_same_is_not_said(versions: dict[str, str | None]) -> None:
    """A patch of Python, turgo on workers, what is not here either."""
    assert not list(differences(HERE, [worker(**versions)]))


def test_workers_in_processes_answer_and_lack_a_module() -> None:
    """The line that installs it is for the Python over there."""
    with Processes().start() as executor:
        first, *rest = workers(executor, ["json", "no_such_module"])
    assert first.mark == OK
    assert first.text.startswith("2 slots; answers came from ")
    (missing,) = (each for each in rest if each.mark == WRONG)
    assert "imports no_such_module" in missing.text
    assert "pip install no_such_module" in missing.mend


def test_calls_that_nobody_answers_end_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that the executor knows."""
    monkeypatch.setattr(module, "ANSWER_SECONDS", 0.01)
    with Deaf().start() as executor, pytest.raises(ExecutorStartError, match="all machines are asleep"):
        answers(executor, [executor.submit(int)])


def test_what_the_plugin_is_built_on_is_compared_as_well(site: Any) -> None:
    """By the requirements of its distribution, those of extras aside."""
    site.install_plugin("turbine")
    metadata = site.folder / "turgo_turbine-1.0.dist-info" / "METADATA"
    needs = "Requires-Dist: click>=8\nRequires-Dist: pytest; extra == 'testing'\n"
    metadata.write_text(metadata.read_text() + needs)
    with get_executor("turbine").start() as executor:
        assert module._needs(type(executor)) == ["click"]
    assert module._needs(Deaf) == []

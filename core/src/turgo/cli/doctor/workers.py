"""Compares the workers of a started executor with this process: versions, and modules that they have to find."""

from __future__ import annotations

import inspect
import re
import threading
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from turgo.cli.doctor import worker_facts
from turgo.cli.doctor.findings import NOTE, WRONG, Finding
from turgo.errors import ExecutorStartError
from turgo.executor import Executor
from turgo.futures import Future
from turgo.install import pip_install
from turgo.registry.plugins import provider_of

ANSWER_SECONDS = 30.0
"""How long calls may wait for a worker."""

MOST_ASKED_SLOTS = 256

PACKAGES = ("turgo", "cloudpickle")
"""What is compared on any executor: what pickles, and what opens the pickles."""

_NAME = re.compile(r"[\w.-]+")

BREAKING_NUMBERS = 2
"""How many numbers of Python's version have to be the same: functions are sent as bytecode."""


def answers(executor: Executor, futures: Sequence[Future[Any]]) -> list[Any]:
    """The values of calls. Raises ExecutorStartError, with the reason if one is known, if they do not come."""
    left = threading.Semaphore(0)
    for future in futures:
        future.add_done_callback(lambda _: left.release())
    for _ in futures:
        if not left.acquire(timeout=ANSWER_SECONDS):
            reasons = [executor.hindrance(), *(event.message for event in executor.events())]
            said = "; ".join(dict.fromkeys(filter(None, reasons)))
            raise ExecutorStartError(
                f"no worker has answered a call for {ANSWER_SECONDS:.0f} s{f': {said}' if said else ''}"
            )
    return [future.result() for future in futures]


def workers(executor: Executor, modules: Sequence[str] = ()) -> Iterator[Finding]:
    """All findings on its workers. modules: what a flow imports there. Raises as `answers` does."""
    slots = executor.slots
    source = inspect.getsource(worker_facts)
    packages = list(dict.fromkeys((*PACKAGES, *_needs(type(executor)))))
    asked = [
        executor.submit(
            eval,
            "exec(source, space) or space['facts'](packages, modules)",
            {"source": source, "space": {}, "packages": packages, "modules": list(modules)},
        )
        for _ in range(min(slots, MOST_ASKED_SLOTS))
    ]
    found = {each["name"]: each for each in answers(executor, asked)}
    here = worker_facts.facts(packages, [])
    places = ["in this process"] if set(found) == {here["name"]} else sorted(found)
    count = "1 slot" if slots == 1 else f"{slots} slots"
    shown = ", ".join(places[:3]) + (f" and {len(places) - 3} more" if len(places) > 3 else "")
    yield Finding(
        "workers",
        f"{count}; answers came from {shown}" if places != ["in this process"] else f"{count}, {places[0]}",
    )
    yield from differences(here["versions"], found.values())
    yield from _missing(found.values())


def _needs(cls: type[Executor]) -> list[str]:
    """The packages that the plugin of an executor is built on; none if it is of no plugin."""
    from importlib_metadata import PackageNotFoundError, requires

    try:
        lines = requires(provider_of(cls).partition(" ")[0]) or []
    except PackageNotFoundError:
        return []
    return [found[0] for line in lines if "extra ==" not in line and (found := _NAME.match(line))]


def differences(here: dict[str, str | None], there: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    """What workers have in another version than this process; nothing on what need not be the same."""
    others: dict[tuple[str, str | None], list[str]] = {}
    for worker in there:
        for package, version in worker["versions"].items():
            mine = here[package]
            needless = (package == "turgo" and version is None) or mine is None  # turgo's code travels along
            if not needless and _numbers(package, version) != _numbers(package, mine):
                others.setdefault((package, version), []).append(worker["name"])
    for (package, version), names in others.items():
        mine = here[package]
        text = f"{package} is {mine} here and {version or 'absent'} on {', '.join(sorted(names)[:3])}"
        if package == "python":
            yield Finding(
                "workers", text, WRONG, f"run the workers with Python {'.'.join(_numbers(package, mine))}"
            )
        elif package == "cloudpickle" and (
            version is None or version.split(".")[0] != str(mine).split(".")[0]
        ):
            yield Finding("workers", text, WRONG, f"there: pip install {package}=={mine}")
        else:
            yield Finding("workers", text, NOTE, f"there: pip install {package}=={mine}")


def _numbers(package: str, version: str | None) -> list[str]:
    """Those of a version that count."""
    return (version or "").split(".")[: BREAKING_NUMBERS if package == "python" else None]


def _missing(there: Iterable[dict[str, Any]]) -> Iterator[Finding]:
    """Modules that workers do not find, and how that is mended: by their own pip."""
    absent: dict[str, dict[str, Any]] = {}
    for worker in there:
        for module in worker["missing"]:
            absent.setdefault(module, worker)
    for module, worker in absent.items():
        own = worker["executable"]
        mend = pip_install(module).partition(" -m ")[2]
        text = f"the flow imports {module}, which {worker['name']} does not find"
        yield Finding("workers", text, WRONG, f"there: {own} -m {mend} (if its package is called so)")

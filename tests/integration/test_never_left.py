"""An executor that is started and never left says nothing as the program ends, and does not hold the program up."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import distributed
import pytest

ENGINES = ("local", "synchronous", "threads", "processes", "dask", "dask in threads")

EXIT_SECONDS = 2.0
"""From the last statement of the program to its end."""

SHARE_OF_THE_START = 0.5
"""Where the start of the same program takes long, so may its end: the machine has much to do."""

MOST_RUNS = 3
"""Such a machine may also hold up one of them."""

PROGRAM = """
import json, os, sys, time
from turgo import get_executor

def spends(marker, pieces, seconds):
    open(marker, "w").close()
    for _ in range(pieces):
        time.sleep(seconds)

if __name__ == "__main__":
    name, options, calls, marker = json.loads(sys.argv[1])
    executor = get_executor(name, **options)
    started = executor.start()
    started.__enter__()
    assert executor.submit(abs, -1).result() == 1
    futures = [executor.submit(spends, marker, *call) for call in calls]
    while futures and not os.path.exists(marker):
        time.sleep(0.01)
    print(time.monotonic())
"""


def surplus_seconds(folder: Path, name: str, options: dict[str, Any], calls: list[Any]) -> float:
    """How much longer the end of a program takes than it may. It said nothing but when it began to end."""
    began, marker = time.monotonic(), folder / "begun"
    marker.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([name, options, calls, str(marker)])],
        stdin=subprocess.DEVNULL,
        capture_output=True,  # and waits for all that holds these pipes: nothing is left
        text=True,
        timeout=100,
        check=False,
    )
    over = time.monotonic()
    said = [line for line in done.stderr.splitlines() if not line.startswith("dask: ")]  # as it starts
    assert (done.returncode, said) == (0, []), done.stderr
    ends = float(done.stdout)
    return over - ends - max(EXIT_SECONDS, SHARE_OF_THE_START * (ends - began))


def ends_soon(*program: Any) -> None:
    """One of some runs ends in time."""
    surplus = [surplus_seconds(*program)]
    while min(surplus) > 0 and len(surplus) < MOST_RUNS:
        surplus.append(surplus_seconds(*program))
    assert min(surplus) <= 0, surplus


WORK: dict[str, list[Any]] = {
    "idle": [],
    "at work": [(1000, 0.05)] * 3,
    "stuck": [(1, 60)] * 3,
}
"""What has not come to its end when the program does: pieces that are waited for, and their seconds."""


@pytest.mark.parametrize("state", WORK)
def test_a_program_ends_with_an_executor_open(
    engine_settings: tuple[str, dict[str, Any]], state: str, tmp_path: Path
) -> None:
    """Within two seconds, with its own exit code, and without a word, whatever its calls are at."""
    at_once = engine_settings[0] == "local" or engine_settings[1].get("scheduler") == "synchronous"
    if at_once and state != "idle":
        pytest.skip("what is submitted there has been computed")
    ends_soon(tmp_path, *engine_settings, WORK[state])


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Of a cluster that is there already, and stays."""
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=2, processes=False, protocol="tcp", dashboard_address=":0"
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.cluster
@pytest.mark.parametrize("state", ["idle", "at work"])
def test_a_program_ends_with_a_cluster_of_others_open(address: str, state: str, tmp_path: Path) -> None:
    """Within two seconds; what its calls are at is stopped there."""
    ends_soon(tmp_path, "dask", {"address": address}, WORK[state])
    with distributed.Client(address, set_as_default=False) as client:
        end = time.monotonic() + 60
        while any(client.processing().values()):
            assert time.monotonic() < end
            time.sleep(0.05)


FORKS = """
import json, os, sys
from turgo import get_executor

name, options = json.loads(sys.argv[1])
with get_executor(name, **options).start() as executor:
    first = executor.submit(os.getpid).result()
    if (child := os.fork()) == 0:
        sys.exit(0)
    print(os.waitpid(child, 0)[1], [first] == executor.wait([executor.submit(os.getpid)]))
"""
"""As a server does that makes its executor before its children."""


def one_worker(engine: str) -> dict[str, Any]:
    """Options for the same executor with one worker, which is then known by its process."""
    return {
        "local": {},
        "synchronous": {"scheduler": "synchronous"},
        "threads": {"scheduler": "threads", "num_workers": 1},
        "processes": {"scheduler": "processes", "num_workers": 1},
        "dask": {"cluster_kwargs": {"n_workers": 1, "threads_per_worker": 1}},
        "dask in threads": {"cluster_kwargs": {"n_workers": 1, "processes": False}},
    }[engine]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_the_end_of_a_forked_process_ends_nothing_of_its_parents(
    engine_name: str, engine_settings: tuple[str, dict[str, Any]]
) -> None:
    """The executor that is open in the parent goes on, on the same worker."""
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        FORKS,
        json.dumps([engine_settings[0], one_worker(engine_name)]),
    ]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100, check=False
    )
    assert done.stdout == "0 True\n", done.stderr

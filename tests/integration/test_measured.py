"""What `turgo compare` and `turgo doctor` say of real executors."""

import json
import os
import subprocess
import sys

import numpy
import pytest

from turgo.cli.compare.differences import differences

FLOW = """
import numpy
from turgo import flow, task

@task
def block(number: int):
    return bytes(200_000) + bytes([number])

@task
def weigh(blocks) -> int:
    return sum(map(len, blocks))

@flow
def weights():
    return weigh(block.map(range(4)))
"""
PROFILES = """
[executors.threads]
use = "local_dask"
num_workers = 2
[executors.processes]
use = "local_dask"
scheduler = "processes"
num_workers = 2
[executors.cluster]
use = "dask"
cluster_kwargs = { n_workers = 2, threads_per_worker = 1 }
"""


@pytest.fixture
def turgo(tmp_path):
    """Run a command in a folder with a flow and profiles; its exit code, and what it says to machines."""
    (tmp_path / "weights.py").write_text(FLOW)
    (tmp_path / "turgo.toml").write_text(PROFILES)

    def run(*args):
        command = [sys.executable, "-P", "-m", "turgo", *args, "--json"]
        done = subprocess.run(
            command, cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=200, check=False
        )
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout)

    return run


@pytest.mark.cluster
def test_bytes_move_where_calls_run_elsewhere(turgo):
    """Not in threads; among processes all values come home, on a cluster large ones stay among the workers."""
    code, found = turgo("compare", "weights.py", "--on", "local,threads,processes,cluster")
    assert (code, found["agree"]) == (0, True), found
    trials = {each["name"]: each["trials"][0] for each in found["executors"]}
    assert trials["local"]["moved_bytes"] == trials["threads"]["moved_bytes"] == 0
    assert trials["processes"]["moved_bytes"] >= 2 * 4 * 200_000
    assert 0 < trials["cluster"]["moved_bytes"] < trials["processes"]["moved_bytes"]
    assert {name: each["slots"] for name, each in trials.items()} == {
        "local": 1,
        "threads": 2,
        "processes": 2,
        "cluster": 2,
    }
    assert trials["processes"]["peak_bytes"] > trials["local"]["peak_bytes"]


@pytest.mark.cluster
@pytest.mark.parametrize("name", ["local", "threads", "processes", "cluster"])
def test_workers_answer_the_doctor(turgo, name):
    """They have what the flow imports, and nothing is wrong."""
    code, found = turgo("doctor", name, "--flow", "weights.py")
    assert (code, found["ok"]) == (0, True), found
    topics = [each["topic"] for each in found["findings"]]
    assert topics[-3:] == ["flow", "workers", "speed"]


@pytest.mark.parametrize("kind", [float, complex, str, int])
def test_arrays_are_compared_as_wholes(kind):
    """NaN is equal to NaN; one element that differs is a difference."""
    one = numpy.array([1, 2, 3]).astype(kind)
    other = one.copy()
    if kind in (float, complex):
        one[0] = other[0] = numpy.nan
    assert differences({"a": one}, {"a": other}) == []
    other[2] = 4
    assert differences({"a": one}, {"a": other})[0].startswith("result['a'] is array(")

"""The workflows of GitHub run the jobs of `.ci/run`, by actions that nobody can change, and publish what was tried."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.release.house import houses

WORKFLOWS = ["ci", "release"]
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
CALL = re.compile(r"^bash \.ci/run (.+)$", re.MULTILINE)
JOB = re.compile(r"""(?:^|; do|; then)\s*job ["']?([a-z][a-z-]*[a-z])""", re.MULTILINE)


def workflow(root: Path, name: str) -> dict[str, Any]:
    """A workflow, as GitHub reads it; YAML takes the key `on` for a truth."""
    read: dict[Any, Any] = yaml.safe_load(
        (root / f".github/workflows/{name}.yml").read_text(encoding="utf-8")
    )
    return {"on": read.pop(True), **read}


def steps(root: Path, name: str) -> list[dict[str, Any]]:
    """The steps of all jobs of a workflow."""
    return [step for job in workflow(root, name)["jobs"].values() for step in job.get("steps", [])]


def matrix(root: Path) -> list[dict[str, str]]:
    """What ci.yml runs, on Linux and elsewhere."""
    jobs = workflow(root, "ci")["jobs"].values()
    return [entry for job in jobs for entry in job["strategy"]["matrix"]["include"]]


def jobs_of_ci(root: Path) -> set[str]:
    """The names of the jobs of `.ci/run`; one that is made for each plugin has the beginning of its name."""
    return set(JOB.findall((root / ".ci/run").read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_runs_jobs_of_ci(root: Path, name: str) -> None:
    """Each job that a workflow names is one of `.ci/run`, by the beginning of its name, as that takes it."""
    calls = [call for step in steps(root, name) for call in CALL.findall(step.get("run", ""))]
    assert calls
    asked = {job for call in calls for job in call.replace("${{ matrix.jobs }}", "").split()}
    if name == "ci":
        asked |= {job for entry in matrix(root) for job in entry["jobs"].split()}
    known = jobs_of_ci(root)
    assert asked
    assert not {job for job in asked if not any(each.startswith(job) for each in known)}


def test_every_job_of_ci_runs_in_the_workflow(root: Path) -> None:
    """What `.ci/run` runs without arguments runs on GitHub too; the wheels are built whatever is asked."""
    asked = {job for entry in matrix(root) for job in entry["jobs"].split()}
    left_out = {job for job in jobs_of_ci(root) if not any(job.startswith(each) for each in asked)}
    assert left_out == {"wheels", "test-oldest"}  # all tests run on each Python


def test_each_supported_python_is_tested(root: Path) -> None:
    """All tests run on each Python that the classifiers of the distributions name, at least."""
    tested = {entry["python"] for entry in matrix(root) if "test-newest" in entry["jobs"].split()}
    for house in houses(root):
        text = (house.folder / "pyproject.toml").read_text(encoding="utf-8")
        assert set(re.findall(r"Python :: (3\.\d+)", text)) <= tested, house.name


@pytest.mark.parametrize("name", WORKFLOWS)
def test_actions_are_pinned(root: Path, name: str) -> None:
    """An action is named by the hash of its commit, which nobody can move, with the version that dependabot reads."""
    lines = (root / f".github/workflows/{name}.yml").read_text(encoding="utf-8").splitlines()
    used = [line.partition("uses: ")[2] for line in lines if "uses: " in line]
    assert used
    assert not [one for one in used if not PINNED.fullmatch(one) and not one.startswith("./.github/")]


def test_only_the_job_that_publishes_may(root: Path) -> None:
    """It alone gets an identity of its workflow, runs no code of the repository, and knows each distribution."""
    for name in WORKFLOWS:
        read = workflow(root, name)
        assert read["permissions"] == {"contents": "read"}
        assert {job for job, each in read["jobs"].items() if "permissions" in each} <= {"publish"}
    publish = workflow(root, "release")["jobs"]["publish"]
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["needs"] == "build"
    assert not [step for step in publish["steps"] if "checkout" in step.get("uses", "")]
    assert sorted(publish["strategy"]["matrix"]["distribution"]) == [each.name for each in houses(root)]

"""`turgo executors certify`, and the certificates that `turgo executors list` shows."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

import pytest

from turgo import API_VERSION, __version__
from turgo.cli import main

HERE = Path(__file__).parents[2] / "testing"


class Site(Protocol):
    """The fixture `site`."""

    folder: Path

    def install_plugin(self, name: str, *, more: str = ..., version: str = ...) -> None:
        """Lay out a complete plugin."""


@pytest.fixture(autouse=True)
def _in_an_empty_project(project: Path) -> None:
    """No configuration but what a test writes."""


def certified(name: str, *args: str) -> tuple[int, dict[str, Any]]:
    """The exit code of the command, and the certificate that it wrote into the present folder."""
    code = main(["executors", "certify", name, *args, "--output", "certificate.json"])
    certificate: dict[str, Any] = json.loads(Path("certificate.json").read_text(encoding="utf-8"))
    return code, certificate


def test_an_executor_that_keeps_the_contract_is_certified(capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 0; the certificate says of what, by which versions, and what is claimed and proven."""
    code, certificate = certified(f"{HERE / 'right_executor.py'}:Right", "-o", "workers=2")
    assert (code, certificate["proven"]) == (0, True), capfd.readouterr().err
    assert (certificate["turgo"], certificate["api_version"]) == (__version__, API_VERSION)
    assert certificate["options"] == {"workers": "2"}
    assert (certificate["distribution"], certificate["version"]) == (None, None)
    assert certificate["capabilities"]["parallel"] == {"claimed": True, "proven": True, "because": ""}
    checks = certificate["checks"]
    assert checks["passed"] >= 130 and checks["failed"] == 0
    assert checks["skipped"] == len(certificate["skips"])
    assert all(certificate["skips"].values())
    assert certificate["date"].endswith("+00:00")


def test_an_executor_that_boasts_is_not(capfd: pytest.CaptureFixture[str]) -> None:
    """Exit code 1; the certificate names the capability that is not proven, and the check that failed."""
    wrong = HERE / "wrong_executors" / "capabilities.py"
    code, certificate = certified(f"{wrong}:BoastsOfDistance")
    assert (code, certificate["proven"]) == (1, False)
    assert certificate["capabilities"]["distributed"]["proven"] is False
    told = certificate["failures"]["test_distributed_leaves_the_process"]
    assert "docs/contract.md#distributed-leaves-the-process" in told
    assert "NOT PROVEN" in capfd.readouterr().err


@pytest.mark.parametrize("version", [API_VERSION + 1, 0])
def test_an_executor_of_another_version_of_the_contract_has_a_certificate_too(
    version: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing but its version can be asked of it, and that one check it fails."""
    Path("foreign.py").write_text(
        f"from turgo import Executor\nclass Foreign(Executor):\n    api_version = {version}\n"
        "    def submit(self, fn, /, *args, extra_context=None, **kwargs): ...\n",
        encoding="utf-8",
    )
    code, certificate = certified("./foreign.py:Foreign", "-o", "token=hunter2", "--load", "70")
    assert (code, certificate["proven"]) == (1, False)
    assert certificate["api_version"] == version and certificate["target"].endswith(":Foreign")
    assert list(certificate["failures"]) == ["test_api_version_is_spoken"]
    assert (
        f"version {version} of the executor contract" in certificate["failures"]["test_api_version_is_spoken"]
    )
    assert certificate["checks"] == {"passed": 0, "failed": 1, "skipped": 0}
    assert certificate["asked"]["load"] == 70 and "hunter2" not in str(certificate)
    assert "test_api_version_is_spoken" in capfd.readouterr().err


def test_only_the_rest_is_run_again(capfd: pytest.CaptureFixture[str]) -> None:
    """With less asked of it; what passed is taken over from the certificate, what failed fails again."""
    wrong = f"{HERE / 'wrong_executors' / 'strictness.py'}:DropsNone"
    asked = ("--load", "50", "--patience", "5", "--failing-option", "workers=0")
    _, before = certified(wrong, *asked)
    capfd.readouterr()
    code, after = certified(wrong, *asked, "--again", "certificate.json")
    assert f"1 failed, {sum(before['checks'].values()) - 1} deselected" in capfd.readouterr().err
    assert (code, before["asked"]["load"]) == (1, 50)
    assert list(after["failures"]) == ["test_none_arrives"]
    assert (after["checks"], after["skips"]) == (before["checks"], before["skips"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("nowhere-to-be-found",), "nowhere-to-be-found"),
        ((f"{HERE / 'right_executor.py'}:Right", "-o", "wrkers=2"), "workers"),
        ((f"{HERE / 'right_executor.py'}:Right", "--output", "nowhere/c.json"), "no folder"),
    ],
)
def test_mistakes_are_found_before_anything_runs(
    args: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2."""
    assert main(["executors", "certify", *args]) == 2
    assert said in capsys.readouterr().err


def test_ctrl_c_ends_the_suite_too() -> None:
    """Exit code 130, in bounded time; no process of its group is left."""
    command = [
        sys.executable,
        "-m",
        "turgo",
        "executors",
        "certify",
        f"{HERE / 'right_executor.py'}:Right",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, bufsize=0
    )
    with process:
        assert process.stderr is not None
        while (line := process.stderr.readline()) and b"PASSED" not in line:  # until a check has passed
            continue
        assert line, "the suite ended before a check had passed"
        os.killpg(process.pid, signal.SIGINT)
        process.stderr.read()  # until all who hold it have ended
        assert process.wait(60) == 130
    end = time.monotonic() + 20
    with suppress(ProcessLookupError):
        while time.monotonic() < end:  # one that has closed its output may still be on its way out
            os.killpg(process.pid, 0)
            time.sleep(0.02)
        raise AssertionError("a process of its group is left")

"""`penstock executors certify`, and the certificates that `penstock executors list` shows."""

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

from penstock import API_VERSION, __version__
from penstock.cli import main
from penstock.registry import get_executor
from penstock.testing.certificate import Outcome, certify

HERE = Path(__file__).parent


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
    assert (certificate["penstock"], certificate["api_version"]) == (__version__, API_VERSION)
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
        "penstock",
        "executors",
        "certify",
        f"{HERE / 'right_executor.py'}:Right",
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True, bufsize=0
    )
    with process:
        assert process.stderr is not None
        process.stderr.read(5)  # so many checks have passed
        os.killpg(process.pid, signal.SIGINT)
        process.stderr.read()  # until all who hold it have ended
        assert process.wait(60) == 130
    end = time.monotonic() + 20
    with suppress(ProcessLookupError):
        while time.monotonic() < end:  # one that has closed its output may still be on its way out
            os.killpg(process.pid, 0)
            time.sleep(0.02)
        raise AssertionError("a process of its group is left")


def test_a_certificate_says_which_distribution_it_is_of(site: Site) -> None:
    """By name and version, which are compared with what is installed where it is shipped."""
    site.install_plugin("turbine", version="2.1")
    executor = get_executor("turbine")
    certificate = certify("turbine", {}, executor, {"test_starts_again": Outcome("passed")}, 1.0)
    assert certificate.target == "penstock_turbine.executor:TurbineExecutor"
    assert (certificate.distribution, certificate.version) == ("penstock-turbine", "2.1")


def ship(site: Site, **changes: Any) -> None:
    """Install a plugin with a certificate beside its plugin module."""
    site.install_plugin("turbine", more="capabilities={'parallel', 'resources'}")
    claims = {
        "parallel": {"claimed": True, "proven": True, "because": ""},
        "resources": {"claimed": True, "proven": True, "because": ""},
        "distributed": {"claimed": False, "proven": False, "because": ""},
    }
    record = {
        "version": "1.0",
        "penstock": __version__,
        "api_version": API_VERSION,
        "proven": True,
        "capabilities": claims,
        "checks": {"passed": 180, "failed": 0, "skipped": 11},
        "date": "2026-01-02T03:04:05+00:00",
        "options": {},
    }
    file = site.folder / "penstock_turbine" / "certificate.json"
    file.write_text(json.dumps(record | changes), encoding="utf-8")


def listed(capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    """The list for people, and what the one for machines says of the plugin."""
    assert main(["executors", "list"]) == 0
    text = capsys.readouterr().out
    assert main(["executors", "list", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["executors"]}
    return text, found["turbine"]


def test_what_is_proven_stands_beside_what_is_claimed(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """With the number of checks and the date, from the file beside the plugin module; no executor is imported."""
    ship(site)
    text, record = listed(capsys)
    assert "     can: parallel, resources\n  proven: parallel, resources (180 checks, 2026-01-02)\n" in text
    assert record["certificate"]["holds"] is True
    assert record["certificate"]["proven"] == ["parallel", "resources"]


def test_without_a_certificate_nothing_is_said(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """A plugin need not ship one."""
    site.install_plugin("turbine", more="capabilities={'parallel'}")
    text, record = listed(capsys)
    assert "proven" not in text.partition("turbine")[2].splitlines()[2]
    assert record["certificate"] is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": "0.9"}, "stale, it is for version 0.9 and this is 1.0"),
        ({"api_version": 1}, "stale, it is for version 1 of the contract"),
        ({"capabilities": {"parallel": {"claimed": True, "proven": True}}}, "it says nothing of resources"),
        ({"proven": False, "checks": {"passed": 1, "failed": 2}}, "it proves nothing: 2 checks failed"),
        ({"checks": None}, "certificate.json cannot be read as one"),
    ],
)
def test_a_certificate_that_does_not_count_is_said_not_to(
    site: Site, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], said: str
) -> None:
    """It is stale, or proves nothing, or is none; nothing counts as proven then."""
    ship(site, **changes)
    text, record = listed(capsys)
    assert said in text
    assert (record["certificate"]["holds"], record["certificate"]["proven"]) == (False, [])

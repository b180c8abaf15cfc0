"""Certificates that plugins ship, beside what they claim."""

import json
from pathlib import Path
from typing import Any, Protocol

import pytest

from turgo import API_VERSION, __version__
from turgo.cli import main
from turgo.registry.precedence import get_executor
from turgo.testing.certification.certificate import Outcome, certify


class Site(Protocol):
    """The fixture `site`."""

    folder: Path

    def install_plugin(self, name: str, *, more: str = ..., version: str = ...) -> None:
        """Lay out a complete plugin."""


@pytest.fixture(autouse=True)
def _in_an_empty_project(project: Path) -> None:
    """No configuration but what a test writes."""


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
        "turgo": __version__,
        "api_version": API_VERSION,
        "proven": True,
        "capabilities": claims,
        "checks": {"passed": 180, "failed": 0, "skipped": 11},
        "date": "2026-01-02T03:04:05+00:00",
        "options": {},
    }
    file = site.folder / "turgo_turbine" / "certificate.json"
    file.write_text(json.dumps(record | changes), encoding="utf-8")


def listed(capsys: pytest.CaptureFixture[str]) -> tuple[str, dict[str, Any]]:
    """The list for people, and what the one for machines says of the plugin."""
    assert main(["executors", "list"]) == 0
    text = capsys.readouterr().out
    assert main(["executors", "list", "--json"]) == 0
    found = {each["name"]: each for each in json.loads(capsys.readouterr().out)["executors"]}
    return text, found["turbine"]


def test_a_certificate_says_which_distribution_it_is_of(site: Site) -> None:
    """By name and version, which are compared with what is installed where it is shipped."""
    site.install_plugin("turbine", version="2.1")
    executor = get_executor("turbine")
    certificate = certify("turbine", {}, executor, {"test_starts_again": Outcome("passed")}, 1.0)
    assert certificate.target == "turgo_turbine.executor:TurbineExecutor"
    assert (certificate.distribution, certificate.version) == ("turgo-turbine", "2.1")


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
        ({"api_version": 2}, "stale, it is for version 2 of the contract"),
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

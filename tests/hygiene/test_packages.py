"""The four distributions: what their metadata promises."""

import re
import tomllib
from importlib import resources
from importlib.metadata import entry_points, files, metadata, requires, version
from pathlib import Path
from typing import Any

import pytest

from turgo import API_VERSION

HOUSES = {
    "turgo": "core",
    "turgo-local": "plugins/local",
    "turgo-local-dask": "plugins/local_dask",
    "turgo-dask": "plugins/dask",
}
DISTRIBUTIONS = sorted(HOUSES)


def project(root: Path, distribution: str) -> dict[str, Any]:
    """The `[project]` table of a distribution's pyproject.toml."""
    text = (root / HOUSES[distribution] / "pyproject.toml").read_text(encoding="utf-8")
    table: dict[str, Any] = tomllib.loads(text)["project"]
    return table


def test_the_workspace_itself_builds_nothing(root: Path) -> None:
    """The root's pyproject.toml configures tools; it is no distribution."""
    table = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    assert not {"project", "build-system"} & set(table)


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_version_has_one_source(distribution: str, root: Path) -> None:
    """The version is written in `_version.py` alone; what is installed agrees; all four have the same."""
    package = distribution.replace("-", "_")
    source = root / HOUSES[distribution] / "src" / package / "_version.py"
    assert f'__version__ = "{version(distribution)}"' in source.read_text(encoding="utf-8")
    assert "version" in project(root, distribution)["dynamic"]
    assert version(distribution) == version("turgo")


def test_the_changelog_knows_the_version(root: Path) -> None:
    """CHANGELOG.md has a section of the present version."""
    assert f"## [{version('turgo')}]" in (root / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_the_metadata_is_whole(distribution: str) -> None:
    """Each distribution states its summary, licence, Python, classifiers and a README that says something."""
    stated = metadata(distribution)
    assert stated["License-Expression"] == "Apache-2.0"
    assert stated["Requires-Python"] == ">=3.11"
    assert stated["Summary"] and "Typing :: Typed" in stated.get_all("Classifier", [])
    assert len(stated["Description"] if "Description" in stated else stated.get_payload()) > 300


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_types_and_licence_travel_along(distribution: str, root: Path) -> None:
    """Each package is marked as typed, and each house holds the same licence text as the root."""
    house = root / HOUSES[distribution]
    assert (resources.files(distribution.replace("-", "_")) / "py.typed").is_file()
    assert (house / "LICENSE").read_bytes() == (root / "LICENSE").read_bytes()
    assert any(path.name == "LICENSE" for path in files(distribution) or [])


def test_core_depends_on_no_plugin_and_no_dask() -> None:
    """Nothing that core requires, its extras included, is a plugin or dask."""
    assert not [line for line in requires("turgo") or [] if "dask" in line or "turgo-" in line]


@pytest.mark.parametrize("distribution", [name for name in DISTRIBUTIONS if name != "turgo"])
def test_an_entry_point_names_the_executor(distribution: str) -> None:
    """`turgo-<x>` registers the executor `<x>` by its light module `turgo_<x>.plugin`."""
    name = distribution.removeprefix("turgo-").replace("-", "_")
    found = [point for point in entry_points(group="turgo.executors") if point.name == name]
    assert [point.value for point in found] == [f"turgo_{name}.plugin"]


@pytest.mark.parametrize("distribution", [name for name in DISTRIBUTIONS if name != "turgo"])
def test_a_plugin_writes_down_its_version_of_the_contract(distribution: str, root: Path) -> None:
    """As a number of its own, in spec and class: a default would follow whichever turgo is installed."""
    package = distribution.replace("-", "_")
    source = root / HOUSES[distribution] / "src" / package
    stated = [
        re.findall(
            r"\bapi_version(?:: ClassVar\[int\])? ?= ?(\d+)", (source / name).read_text(encoding="utf-8")
        )
        for name in ("plugin.py", "executor.py")
    ]
    assert stated == [[str(API_VERSION)]] * 2


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_requirement_has_a_lower_bound(distribution: str, root: Path) -> None:
    """A requirement states the lowest version that it was tested with, and caps nothing."""
    table = project(root, distribution)
    extras = table.get("optional-dependencies", {}).values()
    for line in [*table["dependencies"], *(line for extra in extras for line in extra)]:
        assert ">=" in line and "<" not in line and "==" not in line

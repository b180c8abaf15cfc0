"""What the doctor finds wrong with what is installed."""

from collections.abc import Callable
from typing import Any

from turgo.cli.doctor.findings import NOTE, WRONG, Finding
from turgo.cli.doctor.installation import installation
from turgo.registry.resolve import Registry


def found(registry: Registry, word: str) -> list[Finding]:
    """The findings that speak of something."""
    return [each for each in installation(registry) if word in each.text]


def test_a_plugin_that_does_not_load_is_upgraded(site: Any, registry: Callable[..., Registry]) -> None:
    """It says why it does not load, and the line names this Python."""
    site.install("turgo-broken", {"turgo_broken.py": "import gone_for_good"}, {"broken": "turgo_broken"})
    (finding,) = found(registry(), "gone_for_good")
    assert finding.mark == WRONG
    assert "-m pip install --upgrade turgo-broken" in finding.mend


def test_two_plugins_of_one_name_are_told_apart(site: Any, registry: Callable[..., Registry]) -> None:
    """By the name of the distribution before that of the executor."""
    site.install_plugin("turbine")
    site.install_plugin("turbine", distribution="other-turbine", package="other_turbine")
    notes = found(registry(), "another distribution")
    assert {each.mend.partition(",")[0] for each in notes} == {
        "ask for turgo-turbine/turbine",
        "ask for other-turbine/turbine",
    }
    assert {each.mark for each in notes} == {NOTE}


def test_damaged_metadata_is_named(site: Any, registry: Callable[..., Registry]) -> None:
    """Of whichever distribution; it is installed once more."""
    (site.folder / "wreck-2.0.dist-info").mkdir()
    (finding,) = found(registry(), "wreck")
    assert finding.mark == WRONG
    assert "--force-reinstall wreck" in finding.mend


def test_a_package_that_a_plugin_needs_and_has_not_is_installed(
    site: Any, registry: Callable[..., Registry], monkeypatch: Any
) -> None:
    """By the requirement as the plugin has it; what others lack is not turgo's to say."""
    site.install_plugin("turbine")
    site.install("unrelated", {}, {})
    for name in ("turgo_turbine", "unrelated"):
        metadata = site.folder / f"{name}-1.0.dist-info" / "METADATA"
        metadata.write_text(metadata.read_text() + "Requires-Dist: blades-of-steel>=2\n")
    monkeypatch.setenv("PYTHONPATH", str(site.folder))
    (finding,) = found(registry(), "blades-of-steel")
    assert finding.mark == WRONG
    assert "turgo-turbine" in finding.text
    assert finding.mend.endswith("-m pip install blades-of-steel") or "blades-of-steel>=2" in finding.mend


def test_without_an_executor_the_first_one_is_offered(registry: Callable[..., Registry]) -> None:
    """Core alone runs nothing."""
    (finding,) = found(registry(), "no executor is installed")
    assert finding.mend.endswith("pip install turgo-local")

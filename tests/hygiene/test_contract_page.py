"""docs/contract.md is made from the checks of the conformance suite."""

from pathlib import Path

from turgo.testing.specification import page


def test_the_page_is_what_the_checks_say(root: Path) -> None:
    """Who changes a check makes the page anew."""
    made = "python -m turgo.testing.specification > docs/contract.md"
    written = root / "docs" / "contract.md"
    assert written.read_text(encoding="utf-8") == page(), f"the page is not up to date: {made}"

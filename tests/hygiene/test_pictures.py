"""The pictures of the docs: each is there, small, shown somewhere, and made by `make pictures`."""

import re
from pathlib import Path

MOST_BYTES = 150_000
IMAGE = re.compile(r"!\[([^\]]*)\]\((?!https?:)([^)#\s]+)\)")


def test_pictures_that_pages_show_are_there(root: Path) -> None:
    """With words for those who do not see them; and none lies about that no page shows."""
    shown = set()
    for page in [root / "README.md", *root.glob("docs/**/*.md")]:
        for words, target in IMAGE.findall(page.read_text(encoding="utf-8")):
            assert words, f"{page}: {target} has no words"
            shown.add((page.parent / target).resolve())
    assert [path for path in shown if not path.is_file()] == []
    images = {path for path in (root / "docs/images").iterdir() if path.suffix in (".png", ".svg")}
    assert images and images <= shown
    assert [path for path in images if path.stat().st_size > MOST_BYTES] == []


def test_a_script_makes_those_of_a_report(root: Path) -> None:
    """`make pictures` starts it; it is not run here, as what it shows are times."""
    script = (root / "tools/report_pictures.py").read_text(encoding="utf-8")
    compile(script, "tools/report_pictures.py", "exec")
    assert "$(BIN)/python tools/report_pictures.py" in (root / "Makefile").read_text(encoding="utf-8")
    page = (root / "docs/pictures.md").read_text(encoding="utf-8")
    made = set(re.findall(r'"([a-z-]+\.(?:png|svg))"', script))
    assert made == {Path(target).name for _, target in IMAGE.findall(page)}

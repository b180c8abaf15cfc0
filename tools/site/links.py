"""Links of the pages that leave their folder: on the site each gives the file itself, of a folder its README."""

import re
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parents[2] / "docs"
LINK = re.compile(r"\]\((\.\./[^)#\s]+)\)")


def on_source(app: Any, page_name: str, source: list[str]) -> None:
    """Sphinx hands over the text of a page and takes what is left in the list."""
    folder = (DOCS / page_name).parent

    def given(match: re.Match[str]) -> str:
        target = (folder / match[1]).resolve()
        if target.is_relative_to(DOCS):
            return match[0]
        return f"](path:{match[1].rstrip('/')}{'/README.md' * target.is_dir()})"

    source[0] = LINK.sub(given, source[0])

"""How long a test is likely to last: by `seconds.json` that of its file, else what those of its folder do by the mean.

    python -m tools.side_by_side.seconds

writes that file anew, by what the tests lasted here of late.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).with_name("seconds.json")
CACHE_KEY = "turgo/seconds"
CACHED = Path(".pytest_cache/v", CACHE_KEY)

WORTH_SECONDS = 2.0
"""A file whose tests last less, all together, is no line of the table."""

FOLDERS_SECONDS = {"tests/core/": 0.03, "plugins/": 0.08}
"""By the mean, of a test whose file is none of the table."""

ELSEWHERE_SECONDS = 0.1


class Seconds:
    """How long tests last. means: of a test of each file, where that is known."""

    def __init__(self, means: dict[str, float]) -> None:
        self.means = means

    def of(self, test: str) -> float:
        """Seconds that a test may last, of which nothing is known but its name."""
        mean = self.means.get(test.partition("::")[0])
        if mean is not None:
            return mean
        return next(
            (mean for folder, mean in FOLDERS_SECONDS.items() if test.startswith(folder)), ELSEWHERE_SECONDS
        )


def known() -> Seconds:
    """By the table of the checkout."""
    return Seconds(json.loads(HERE.read_text(encoding="utf-8")))


def table(lasted: dict[str, float]) -> dict[str, float]:
    """The mean of each file that is worth a line, of what its tests lasted."""
    files: dict[str, list[float]] = defaultdict(list)
    for test, seconds in lasted.items():
        files[test.partition("::")[0]].append(seconds)
    worth = {file: each for file, each in files.items() if sum(each) >= WORTH_SECONDS}
    return {file: round(sum(each) / len(each), 2) for file, each in sorted(worth.items())}


if __name__ == "__main__":
    lasted = json.loads(CACHED.read_text(encoding="utf-8"))
    HERE.write_text(json.dumps(table(lasted), indent=1) + "\n", encoding="utf-8")

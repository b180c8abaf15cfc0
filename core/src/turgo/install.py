"""The line that installs a package into the environment that needs it."""

from __future__ import annotations

import sys


def pip_install(*packages: str, upgrade: bool = False) -> str:
    """The line to type. It names the Python that runs now, as the `pip` of a shell may be another one's."""
    import shlex  # late: few runs lack anything

    words = [
        sys.executable or "python",
        "-m",
        "pip",
        "install",
        *(["--upgrade"] if upgrade else []),
        *packages,
    ]
    return shlex.join(words)

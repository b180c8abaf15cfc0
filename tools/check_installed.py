"""Fail unless every turgo package of this environment is an installed one, not a source tree."""

import importlib.util
import sys
import sysconfig
from pathlib import Path

REQUIRED = ("turgo",)
OPTIONAL = ("turgo_local", "turgo_local_dask", "turgo_dask")


def origin(package: str) -> Path | None:
    """The file that `import package` would run, or None where it is not installed."""
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).resolve() if spec is not None and spec.origin else None


def main() -> int:
    """Print where each package is; return 1 when one is outside site-packages or core is absent."""
    site = Path(sysconfig.get_path("purelib")).resolve()
    failed = False
    for package in REQUIRED + OPTIONAL:
        found = origin(package)
        if found is None:
            failed = failed or package in REQUIRED
            print(f"{package}: not installed")
        else:
            failed = failed or not found.is_relative_to(site)
            print(f"{package}: {found}")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

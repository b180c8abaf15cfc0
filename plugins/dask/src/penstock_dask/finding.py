"""Which cluster: how a class is found by its path, and whether it takes the keywords that it is to be called with.

`cluster_class` may be a path (`pkg.Class`, `pkg:Class`), a class, a factory function (a coroutine function
too), or a cluster that is there already, which is then used and left as it is.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from distributed.deploy import Cluster

from penstock.errors import OptionError

NAME = "dask"


def find_class(path: Any) -> Any:
    """What the path leads to; anything but a string is given back. Raises OptionError with the reason."""
    if not isinstance(path, str):
        if isinstance(path, Cluster) or callable(path):
            return path
        raise _wrong(f"cluster_class must be a path, a class, a function or a cluster, not {path!r}")
    module_name, _, name = path.replace(":", ".").rpartition(".")
    if not module_name or not name:
        raise _wrong(f"cluster_class {path!r} is no path: write 'package.Class' or 'package:Class'")
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        raise _wrong(_missing(path, module_name, missing)) from missing
    except ImportError as failed:
        raise _wrong(f"cluster_class {path!r}: {module_name} does not import: {failed}") from failed
    if not hasattr(found, name):
        classes = sorted(word for word in vars(found) if word.endswith("Cluster"))
        raise _wrong(
            f"cluster_class {path!r}: {module_name} has no {name}"
            + (f"; it has {classes}" if classes else "")
        )
    return getattr(found, name)


def _missing(path: str, module_name: str, missing: ModuleNotFoundError) -> str:
    package = (missing.name or module_name).partition(".")[0]
    if package == module_name.partition(".")[0] != missing.name:
        return f"cluster_class {path!r}: there is no module {missing.name!r}"
    return (
        f"cluster_class {path!r} needs the package {package!r}, which is not installed here: "
        f"pip install {package.replace('_', '-')}"
    )


def _wrong(message: str) -> OptionError:
    return OptionError(message, option="cluster_class", executor=NAME)


def check_keywords(cluster_class: Any, keywords: Iterable[str]) -> None:
    """Raise OptionError for a keyword that the class does not take. One that passes on what it gets takes all."""
    try:
        parameters = inspect.signature(cluster_class).parameters
    except (TypeError, ValueError):  # it does not tell
        return
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return
    known = [name for name, each in parameters.items() if each.kind is not each.POSITIONAL_ONLY]
    for keyword in keywords:
        if keyword not in known:
            near = get_close_matches(keyword, known, n=1)
            name = getattr(cluster_class, "__name__", str(cluster_class))
            hint = f"; did you mean {near[0]!r}?" if near else f"; it takes {known}"
            raise OptionError(
                f"cluster_kwargs: {name} takes no {keyword!r}{hint}",
                option="cluster_kwargs",
                executor=NAME,
                nearest=near[0] if near else None,
            )

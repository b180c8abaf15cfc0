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
from penstock_dask.plugin import NAME


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
    found = getattr(found, name)
    if not isinstance(found, Cluster) and not callable(found):
        raise _wrong(f"cluster_class {path!r} is no class, function or cluster, but a {type(found).__name__}")
    return found


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


def check_keywords(
    called: Any, keywords: Iterable[str], *, option: str = "cluster_kwargs", lenient: bool = True
) -> None:
    """Raise OptionError for a keyword that a class or function does not take.

    option: who gave them; lenient: whether one that passes on what it gets takes all.
    """
    try:
        parameters = inspect.signature(called).parameters
    except (TypeError, ValueError):  # it does not tell
        return
    if lenient and any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    known = [name for name, each in parameters.items() if each.kind in kinds]
    for keyword in keywords:
        if keyword not in known:
            near = get_close_matches(keyword, known, n=1)
            name = getattr(called, "__name__", str(called))
            hint = f"; did you mean {near[0]!r}?" if near else f"; it takes {known}"
            raise OptionError(
                f"{option}: {name} takes no {keyword!r}{hint}",
                option=option,
                executor=NAME,
                nearest=near[0] if near else None,
            )

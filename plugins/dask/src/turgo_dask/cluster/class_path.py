"""Finds the class of a cluster by its path. Checks the keywords that it is called with.

`cluster_class` may be a path (`pkg.Class`, `pkg:Class`), a class, a factory function (a coroutine function
too), or a cluster that is there already, which is then used and left as it is.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import distributed
from distributed.deploy import Adaptive, Cluster

from turgo.errors import OptionError
from turgo.install import pip_install
from turgo_dask.plugin import NAME


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
    if Path(f"{package}.py").is_file() or Path(package, "__init__.py").is_file():
        return (
            f"cluster_class {path!r}: {package} lies in this folder, where Python does not look for modules now: "
            "set PYTHONPATH=."
        )
    return (
        f"cluster_class {path!r} needs the package {package!r}, which is not installed here: "
        f"{pip_install(package.replace('_', '-'))}"
    )


def _wrong(message: str, option: str = "cluster_class", near: str | None = None) -> OptionError:
    return OptionError(message, option=option, executor=NAME, nearest=near)


def check_keywords(
    called: Any, keywords: Iterable[str], *, option: str = "cluster_kwargs", lenient: bool = True
) -> None:
    """Raise OptionError for a keyword that a class or function does not take.

    option: who gave them; lenient: whether one that passes on what it gets takes all.
    """
    known, passes_on = _taken_by(called)
    if known is not None and not (lenient and passes_on):
        _refuse_others(keywords, known, getattr(called, "__name__", str(called)), option)


def check_adapting(cluster: Any, adapt_kwargs: Mapping[str, Any]) -> None:
    """Raise OptionError for what the `adapt` of a cluster, or of a class of clusters, does not take.

    That of distributed passes on what it does not know, and in the end nobody misses it. One of another package that
    passes on things takes all.
    """
    name = getattr(cluster, "__name__", type(cluster).__name__)
    adapt = getattr(cluster, "adapt", None)
    if adapt is None:
        raise _wrong(f"adapt_kwargs: {name} has no adapt, so its workers cannot come and go", "adapt_kwargs")
    known, passes_on = _taken_by(adapt)
    if known is None:
        return
    if passes_on and not str(getattr(adapt, "__module__", "")).startswith("distributed."):
        return
    further = (adapt_kwargs.get("Adaptive", Adaptive), distributed.Scheduler.workers_to_close)
    for called in further if passes_on else ():
        known = [*known, *(_taken_by(called)[0] or ())]
    known = [each for each in dict.fromkeys(known) if each not in ("self", "cluster")]
    _refuse_others(adapt_kwargs, known, f"{name}.adapt", "adapt_kwargs")


def nearest_keyword(called: Any, reasons: str) -> str:
    """The hint for a keyword that a class passed on and that nothing took, as Python's error in `reasons` says."""
    slip = re.search(r"unexpected keyword argument '(\w+)'", reasons)
    near = get_close_matches(slip[1], _taken_by(called)[0] or (), n=1) if slip else ()
    return f"; did you mean cluster_kwargs.{near[0]}?" if near else ""


def keywords_named_by(called: Any) -> frozenset[str]:
    """The keywords that its signature names. One that only passes on what it gets may give the same one itself."""
    return frozenset(_taken_by(called)[0] or ())


def _taken_by(called: Callable[..., Any]) -> tuple[list[str] | None, bool]:
    """The keywords that it takes, None if it hides them; and whether it takes others too."""
    try:
        parameters = inspect.signature(called).parameters.values()
    except (TypeError, ValueError):
        return None, True
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return [each.name for each in parameters if each.kind in kinds], any(
        each.kind is each.VAR_KEYWORD for each in parameters
    )


def _refuse_others(keywords: Iterable[str], known: list[str], name: str, option: str) -> None:
    """Raise OptionError for a keyword that is none of the known ones, with the nearest of them."""
    for keyword in keywords:
        if keyword not in known:
            near = get_close_matches(keyword, known, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it takes {known}"
            raise _wrong(f"{option}: {name} takes no {keyword!r}{hint}", option, near[0] if near else None)

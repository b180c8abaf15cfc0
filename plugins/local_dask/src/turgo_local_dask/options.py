"""The options of the executor. Defines the names of schedulers, and which words are dask's configuration.

Dask takes any key into its configuration without a word, so that `num_wokers=3` changes nothing. Here a key
must be one that dask has a default for, one that its user has configured already, or one of those that
dask's local schedulers ask for.
"""

from __future__ import annotations

import concurrent.futures
import difflib
import multiprocessing.pool
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import dask.config

from turgo.errors import OptionError

NAME = "local_dask"
ALIASES: Mapping[str, str] = {
    "threads": "threads",
    "threading": "threads",
    "processes": "processes",
    "multiprocessing": "processes",
    "synchronous": "synchronous",
    "sync": "synchronous",
    "single-threaded": "synchronous",
}

# What dask's local schedulers look up without declaring a default, so that `dask.config.defaults` lacks them.
_UNDECLARED = (
    "chunksize",
    "func_dumps",
    "func_loads",
    "multiprocessing.context",
    "multiprocessing.initializer",
    "num_workers",
    "pool",
)


def scheduler_name(scheduler: Any) -> str | Callable[..., Any]:
    """`scheduler` as "threads", "processes" or "synchronous", or the callable that it is."""
    if callable(scheduler):
        called: Callable[..., Any] = scheduler
        return called
    word = scheduler.strip().lower().replace("_", "-") if isinstance(scheduler, str) else None
    if word is not None and word in ALIASES:
        return ALIASES[word]
    choices = ", ".join(
        f"{name!r} ({', '.join(alias for alias, of in ALIASES.items() if of == name != alias)})"
        for name in dict.fromkeys(ALIASES.values())
    )
    nearest = _nearest(word or "", ALIASES)
    raise OptionError(
        f"there is no scheduler {scheduler!r}: choose {choices}, in any case, or give a scheduler function"
        + (f". Did you mean {nearest!r}?" if nearest else ""),
        option="scheduler",
        executor=NAME,
        nearest=nearest,
    )


def checked(dask_config: Mapping[str, Any]) -> dict[str, Any]:
    """`dask_config` as it was given, once each key is known and the values that can be checked make sense."""
    known = _known()
    for option in dask_config:
        if _plain(option) not in known:
            nearest = _nearest(_plain(option), known)
            raise OptionError(
                f"{option!r} is neither an option of {NAME!r} nor dask configuration"
                + (f". Did you mean {known[nearest]!r}?" if nearest else ""),
                option=option,
                executor=NAME,
                nearest=known[nearest] if nearest else None,
            )
    _check_values({_plain(option): (option, value) for option, value in dask_config.items()})
    return dict(dask_config)


def _check_values(options: Mapping[str, tuple[str, Any]]) -> None:
    if "num.workers" in options:
        option, value = options["num.workers"]
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise OptionError(f"{option} must be a whole number of at least 1, not {value!r}", option=option)
    if "pool" in options:
        option, value = options["pool"]
        if value is not None and not isinstance(
            value, (concurrent.futures.Executor, multiprocessing.pool.Pool)
        ):
            raise OptionError(
                f"{option} must be a concurrent.futures.Executor or a pool of multiprocessing, not {value!r}",
                option=option,
            )
    if "multiprocessing.context" in options:
        option, value = options["multiprocessing.context"]
        methods = multiprocessing.get_all_start_methods()
        if value not in methods:
            raise OptionError(f"{option} must be one of {methods}, not {value!r}", option=option)


def for_dask(dask_config: Mapping[str, Any]) -> dict[str, Any]:
    """The keys as `dask.config.set` takes them: `multiprocessing.context`, however it was written."""
    known = _known()
    return {known[_plain(option)]: value for option, value in dask_config.items()}


def _known() -> dict[str, str]:
    """Each key and each group of keys of dask's configuration, by its plain form."""
    keys = list(_UNDECLARED)
    for config in (*dask.config.defaults, dask.config.config):
        keys.extend(_keys(config))
    keys.extend(key.rsplit(".", depth)[0] for key in list(keys) for depth in range(1, key.count(".") + 1))
    return {_plain(key): key for key in reversed(keys)}


def _keys(config: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in config.items():
        yield prefix + str(key)
        if isinstance(value, Mapping):
            yield from _keys(value, f"{prefix}{key}.")


def _plain(key: str) -> str:
    """One form for `temporary-directory` and `temporary_directory`, `a.b`, `a__b` and `a_b`."""
    return key.replace("__", ".").replace("_", ".").replace("-", ".").lower()


def _nearest(word: str, choices: Mapping[str, str]) -> str | None:
    return next(iter(difflib.get_close_matches(word, choices, n=1, cutoff=0.6)), None)

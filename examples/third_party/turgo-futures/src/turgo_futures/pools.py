"""The pools: found by dotted path, their options checked, made, made anew when they break, and ended.

What turgo has to know of a pool beyond its interface is its `Kind`, which the class of the pool decides.
"""

from __future__ import annotations

import concurrent.futures
import difflib
import importlib
import inspect
import multiprocessing
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import BrokenExecutor, Future
from typing import Any

import attrs
from turgo.errors import OptionError

Pool = concurrent.futures.Executor


@attrs.frozen
class Kind:
    """pickled: whether calls must travel as bytes. capabilities: what such a pool can do in this executor."""

    pickled: bool = True
    capabilities: frozenset[str] = frozenset({"parallel"})


_KINDS: Mapping[str, Kind] = {
    "concurrent.futures.interpreter.InterpreterPoolExecutor": Kind(),
    "concurrent.futures.thread.ThreadPoolExecutor": Kind(pickled=False),
    "concurrent.futures.process.ProcessPoolExecutor": Kind(
        capabilities=frozenset({"parallel", "survives_worker_loss"})
    ),
    "loky.process_executor.ProcessPoolExecutor": Kind(
        capabilities=frozenset({"parallel", "survives_worker_loss"})
    ),
    "mpi4py.futures.pool.MPIPoolExecutor": Kind(capabilities=frozenset({"parallel", "distributed"})),
}


def kind_of(cls: type[Pool]) -> Kind:
    """The kind of the nearest class of its ancestry that is known; bytes are safe with one that is not."""
    names = (f"{base.__module__}.{base.__qualname__}" for base in cls.__mro__)
    return next((_KINDS[name] for name in names if name in _KINDS), Kind())


def found(pool: str | type[Pool]) -> type[Pool]:
    """The class that a dotted path (`pkg.Class`, `pkg:Class`) leads to. Raises OptionError if it leads nowhere."""
    cls = _imported(pool) if isinstance(pool, str) else pool
    if not (isinstance(cls, type) and issubclass(cls, Pool)):
        raise _wrong(f"{pool!r} is no class that derives from concurrent.futures.Executor")
    return cls


def _imported(path: str) -> Any:
    module_name, _, name = path.replace(":", ".").rpartition(".")
    if not module_name:
        raise _wrong(
            f"{path!r} is no dotted path: write 'concurrent.futures.ProcessPoolExecutor', for example"
        )
    try:
        module: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as missing:
        package = (missing.name or module_name).partition(".")[0]
        raise _wrong(
            f"{path!r} needs {missing.name!r}, which is not there: pip install {package}"
        ) from missing
    except ImportError as failed:
        raise _wrong(f"{path!r}: {module_name} does not import: {failed}") from failed
    try:
        return getattr(module, name)
    except AttributeError:
        raise _wrong(f"{path!r}: {module_name} has no {name!r} on this Python") from None


def _wrong(message: str) -> OptionError:
    return OptionError(f"option 'pool' of futures: {message}", option="pool", executor="futures")


def check(cls: type[Pool], options: Mapping[str, Any]) -> None:
    """Raise OptionError for an option that the pool's constructor does not take, or a size below 1."""
    parameters = inspect.signature(cls).parameters
    anything = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    for option in options if not anything else ():
        if option not in parameters:
            near = next(iter(difflib.get_close_matches(option, parameters, n=1)), None)
            hint = f". Did you mean {near!r}?" if near else ""
            message = f"{cls.__name__} has no option {option!r}; it has {', '.join(parameters)}{hint}"
            raise OptionError(message, option=option, executor="futures", nearest=near)
    size = options.get("max_workers")
    if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
        message = f"max_workers must be a whole number of at least 1, not {size!r}"
        raise OptionError(message, option="max_workers", executor="futures")


def made(cls: type[Pool], options: Mapping[str, Any]) -> Pool:
    """A new pool. `mp_context` may be the name of a start method; processes of CPython's are not forked by default.

    A fork of a process that has threads, as any driver of a pool has, may find their locks taken for ever.
    """
    given = dict(options)
    if issubclass(cls, concurrent.futures.ProcessPoolExecutor):
        there = multiprocessing.get_all_start_methods()
        context = given.get("mp_context") or ("forkserver" if "forkserver" in there else "spawn")
        given["mp_context"] = multiprocessing.get_context(context) if isinstance(context, str) else context
    return cls(**given)


def size_of(pool: Pool) -> int | None:
    """How many workers it has by its own account; no interface tells it, but these names are common."""
    size = getattr(pool, "num_workers", None) or getattr(pool, "_max_workers", None)
    return size if isinstance(size, int) and size > 0 else None


class Renewed:
    """A pool that is made anew when it breaks, as a pool of processes does when one of them dies.

    `closing` is true once it is being closed: what breaks then was broken on purpose.
    """

    def __init__(self, make: Callable[[], Pool]) -> None:
        self.closing = False
        self._make = make
        self._pool = make()
        self._broken: list[Pool] = []
        self._outstanding: set[Future[Any]] = set()
        self._lock = threading.Lock()

    @property
    def size(self) -> int | None:
        """The number of workers, where the pool tells it."""
        return size_of(self._pool)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """As the pool's own. Any thread may call it. Raises RuntimeError once the pool is being closed."""
        with self._lock:
            if self.closing:
                raise RuntimeError("the pool is closed")
            try:
                future: Future[Any] = self._pool.submit(fn, *args, **kwargs)
            except BrokenExecutor:
                self._broken.append(self._pool)  # joined later: its thread may be in a callback that submits
                self._pool = self._make()
                future = self._pool.submit(fn, *args, **kwargs)
            self._outstanding.add(future)
        future.add_done_callback(self._outstanding.discard)
        return future

    def close(self, *, at_once: bool) -> None:
        """Take back what waits and let what runs come to its end; `at_once` ends the processes instead.

        Nothing is cancelled in a pool whose processes are killed: its thread gives each call an error, and does
        not expect one that is cancelled.
        """
        with self._lock:
            self.closing = True
        if not (at_once and _kill(self._pool)):
            for future in list(self._outstanding):  # not by `cancel_futures`, which loky does not have
                future.cancel()
        for pool in (*self._broken, self._pool):
            pool.shutdown(wait=True)


def _kill(pool: Any) -> bool:
    """End the processes of a pool, whatever they do. False for threads and for what runs elsewhere."""
    if "kill_workers" in inspect.signature(pool.shutdown).parameters:  # loky
        pool.shutdown(wait=True, kill_workers=True)
        return True
    if not isinstance(pool, concurrent.futures.ProcessPoolExecutor):
        return False
    for process in list((pool._processes or {}).values()):  # CPython 3.14 has `kill_workers()` for it
        process.kill()
    return True

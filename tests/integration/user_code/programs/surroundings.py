"""What stands beside the tasks of a flow file, of every kind; each task uses one of them."""

import collections
import contextlib
import contextvars
import functools
import logging
import math
import operator
import re
import sys
import threading
import typing

from turgo import flow, task

FEET = 0.3048
STATIONS = {"Leith": 1.0, "Perth": 2.0}
NUMBER = re.compile(r"(\d+)")
LOG = logging.getLogger("surroundings")
LOCK = threading.Lock()
REENTRANT = threading.RLock()
ROOM = threading.Semaphore(2)
FULL = threading.Condition()
OPEN = threading.Event()
OWN = threading.local()
REQUEST: contextvars.ContextVar[str] = contextvars.ContextVar("REQUEST", default="none")
ABSENT = object()
DOUBLE = functools.partial(operator.mul, 2)
ROUNDED = round
READERS: dict[str, typing.Callable[[str], float]] = {}
SEEN: "collections.deque[int]" = collections.deque(maxlen=2)
Metres = typing.NewType("Metres", float)
T = typing.TypeVar("T")


class Missing:
    """A sentinel with a class of its own."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING = Missing()


def reader(kind: str) -> typing.Callable[[T], T]:
    """Register a function under a name."""

    def register(fn: T) -> T:
        READERS[kind] = fn
        return fn

    return register


@reader("metres")
def metres(text: str) -> float:
    return float(text)


@reader("feet")
def feet(text: str) -> float:
    return round(float(text) * FEET, 2)


def logged(fn: typing.Callable[..., T]) -> typing.Callable[..., T]:
    """A decorator that wraps."""

    @functools.wraps(fn)
    def wrapper(*args: typing.Any) -> T:
        LOG.debug("%s", fn.__name__)
        return fn(*args)

    return wrapper


class Traced:
    """A decorator that is a class, and counts."""

    def __init__(self, fn: typing.Callable[..., typing.Any]) -> None:
        functools.update_wrapper(self, fn)
        self.fn = fn
        self.calls = 0

    def __call__(self, *args: typing.Any) -> typing.Any:
        self.calls += 1
        return self.fn(*args)


@functools.lru_cache(maxsize=128)
def steps(n: int) -> int:
    return 1 if n < 2 else steps(n - 1) + steps(n - 2)


@functools.cache
def roughness(bed: str) -> int:
    return len(bed)


@functools.singledispatch
def shown(value: object) -> str:
    return "object"


@shown.register
def _(value: int) -> str:
    return "int"


@shown.register(list)
def _(value: list[object]) -> str:
    return "list of " + shown(value[0])


class River:
    """Remembers what it has computed, in each way that the library has."""

    def __init__(self, length: int) -> None:
        self.length = length

    @functools.cached_property
    def bends(self) -> int:
        return self.length * 2

    @functools.lru_cache  # noqa: B019
    def deep(self, at: int) -> int:
        return self.length * at

    @functools.singledispatchmethod
    def add(self, what: object) -> str:
        return "thing"

    @add.register
    def _(self, what: int) -> str:
        return "number"

    wide = functools.partialmethod(deep, 3)


@functools.total_ordering
class Grade:
    """Ordered by one comparison."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Grade) and self.value == other.value

    def __hash__(self) -> int:
        return self.value

    def __lt__(self, other: "Grade") -> bool:
        return self.value < other.value


@contextlib.contextmanager
def opened(name: str) -> typing.Iterator[str]:
    yield name.upper()


@logged
def wrapped(n: int) -> int:
    return n + 1


@Traced
def traced(n: int) -> int:
    return n * 3


def even(n: int) -> bool:
    return n == 0 or odd(n - 1)


def odd(n: int) -> bool:
    return n != 0 and even(n - 1)


def upto(n: int) -> typing.Iterator[int]:
    yield from range(n)


class Guarded:
    """Has a lock of its class, and one that is made when it is needed."""

    lock = threading.Lock()

    def __enter__(self) -> typing.Self:
        self.lock.acquire()
        return self

    def __exit__(self, *error: object) -> None:
        self.lock.release()


@task
def constants() -> float:
    return STATIONS["Leith"] * FEET


@task
def pattern() -> str:
    return NUMBER.findall("a12b")[0]


@task
def logger() -> bool:
    return LOG is logging.getLogger("surroundings")


@task
def lock() -> bool:
    with LOCK:
        return LOCK.locked()


@task
def other_locks() -> bool:
    with REENTRANT, REENTRANT, ROOM, FULL, Guarded():
        return Guarded.lock.locked()


@task
def event() -> bool:
    return not OPEN.is_set()


@task
def thread_local() -> int:
    OWN.level = 4
    return OWN.level


@task
def context_variable() -> tuple[str, str]:
    before = REQUEST.get()
    token = REQUEST.set("mine")
    now = REQUEST.get()
    REQUEST.reset(token)
    return before, now


@task
def sentinel_as_default(value: object = ABSENT) -> bool:
    return value is ABSENT


@task
def sentinel_as_argument(value: object) -> bool:
    return value is ABSENT


@task
def sentinel_in_a_value(values: list[object]) -> bool:
    return values[0] is MISSING


@task
def gives_sentinel() -> object:
    return MISSING


@task
def takes_sentinel(value: object) -> bool:
    return value is MISSING


@task
def partial() -> int:
    return DOUBLE(4)


@task
def builtin() -> float:
    return ROUNDED(math.pi, 2)


@task
def registry() -> tuple[float, float]:
    return READERS["metres"]("1.5"), READERS["feet"]("10")


@task
def registry_holds_the_same() -> bool:
    return READERS["feet"] is feet


@task
def bounded() -> list[int]:
    SEEN.extend([1, 2, 3])
    return list(SEEN)


@task
def new_type() -> float:
    return Metres(2.0)


@task
def lru_cache() -> int:
    return steps(10)


@task
def cache() -> tuple[int, int]:
    return roughness("sand"), roughness("sand")


@task
@functools.lru_cache
def cached_task(n: int) -> int:
    return n * 2


@task
def single_dispatch() -> list[str]:
    return [shown(1), shown([1]), shown("x")]


@task
def cached_property() -> int:
    return River(4).bends


@task
def cached_method() -> tuple[int, int]:
    return River(4).deep(2), River(4).wide()


@task
def single_dispatch_method() -> list[str]:
    river = River(1)
    return [river.add(1), river.add("x")]


@task
def ordered(low: Grade, high: Grade) -> bool:
    return max(low, high) is high and low <= high


@task
def context_manager() -> str:
    with opened("leith") as name:
        return name


@task
def wrapped_function() -> tuple[int, str]:
    return wrapped(1), wrapped.__name__


@task
def class_as_decorator() -> int:
    return traced(2)


@task
@logged
def wrapped_task(n: int) -> int:
    return n - 1


@task
def each_other() -> bool:
    return even(10)


@task
def generator() -> int:
    return sum(upto(4))


@task
async def coroutine() -> int:
    return len(STATIONS)


@task
def lambdas() -> list[int]:
    return sorted([3, 1], key=lambda n: n * FEET)


@task
def assigned() -> int:
    global FEET
    before, FEET = FEET, 1.0
    now, FEET = FEET, before
    return int(now)


@task
def by_name() -> bool:
    return globals()["feet"] is feet and sys.modules[feet.__module__].feet is feet


@flow
def surroundings() -> object:
    """Every kind, by name."""
    roughness("gravel")  # the driver's cache holds something
    return {
        "constants": constants(),
        "pattern": pattern(),
        "logger": logger(),
        "lock": lock(),
        "other_locks": other_locks(),
        "event": event(),
        "thread_local": thread_local(),
        "context_variable": context_variable(),
        "sentinel_as_default": sentinel_as_default(),
        "sentinel_as_argument": sentinel_as_argument(ABSENT),
        "sentinel_in_a_value": sentinel_in_a_value([MISSING]),
        "sentinel_of_a_task": takes_sentinel(gives_sentinel()),
        "partial": partial(),
        "builtin": builtin(),
        "registry": registry(),
        "registry_holds_the_same": registry_holds_the_same(),
        "bounded": bounded(),
        "new_type": new_type(),
        "lru_cache": lru_cache(),
        "cache": cache(),
        "cached_task": cached_task(4),
        "single_dispatch": single_dispatch(),
        "cached_property": cached_property(),
        "cached_method": cached_method(),
        "single_dispatch_method": single_dispatch_method(),
        "ordered": ordered(Grade(1), Grade(2)),
        "context_manager": context_manager(),
        "wrapped_function": wrapped_function(),
        "class_as_decorator": class_as_decorator(),
        "wrapped_task": wrapped_task(4),
        "each_other": each_other(),
        "generator": generator(),
        "coroutine": coroutine(),
        "lambdas": lambdas(),
        "assigned": assigned(),
        "by_name": by_name(),
    }


RIGHT = {
    "constants": 0.3048,
    "pattern": "12",
    "logger": True,
    "lock": True,
    "other_locks": True,
    "event": True,
    "thread_local": 4,
    "context_variable": ("none", "mine"),
    "sentinel_as_default": True,
    "sentinel_as_argument": True,
    "sentinel_in_a_value": True,
    "sentinel_of_a_task": True,
    "partial": 8,
    "builtin": 3.14,
    "registry": (1.5, 3.05),
    "registry_holds_the_same": True,
    "bounded": [2, 3],
    "new_type": 2.0,
    "lru_cache": 89,
    "cache": (4, 4),
    "cached_task": 8,
    "single_dispatch": ["int", "list of int", "object"],
    "cached_property": 8,
    "cached_method": (8, 12),
    "single_dispatch_method": ["number", "thing"],
    "ordered": True,
    "context_manager": "LEITH",
    "wrapped_function": (2, "wrapped"),
    "class_as_decorator": 6,
    "wrapped_task": 3,
    "each_other": True,
    "generator": 6,
    "coroutine": 2,
    "lambdas": [1, 3],
    "assigned": 1,
    "by_name": True,
}

if __name__ == "__main__":
    print(surroundings())

"""Random flows: what calls are drawn, what their functions do, and the flow that makes them.

`TURGO_GRAPHS=2000` has that many graphs drawn instead of the usual hundred, or the thirty that `make test` draws.
"""

import operator
import os
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from weakref import WeakValueDictionary
from zlib import crc32

import cloudpickle
from hypothesis import strategies as st

from turgo.errors import Skip
from turgo.flows.flow import FlowDefinition
from turgo.flows.graph import Graph
from turgo.flows.mapping import unmapped
from turgo.flows.policy.options import Policy
from turgo.flows.policy.triggers import some_failed, some_successful, trigger_named
from turgo.flows.task import Task

# The functions count their calls in this process.
cloudpickle.unregister_pickle_by_value(sys.modules[__name__])

GRAPHS = int(os.environ.get("TURGO_GRAPHS") or ("30" if "SHORT_TESTS" in os.environ else "100"))

AT_FIRST = {"flaky", "absent"}
"""What a call does that fails at its first attempt only."""


class Spec(NamedTuple):
    """One drawn call: `args` hold constants and handles, `("ref", h)`; `behave` is what its runs do in turn.

    picky: whether it is tried again after a LookupError only.
    """

    kind: str
    args: tuple[Any, ...]
    fixed: tuple[int, ...] = ()
    after: tuple[int, ...] = ()
    trigger: str = "all_successful"
    skips: bool = True
    retries: int = 0
    picky: bool = False
    behave: tuple[str, ...] = ("value",)


def known(value: Any) -> Any:
    """`value` in a form that is the same on every way through the engine: errors by type and message."""
    if isinstance(value, BaseException):
        return f"{type(value).__name__}:{value if type(value) in (RuntimeError, Skip) else ''}"
    if isinstance(value, (list, tuple)):
        return type(value)(known(item) for item in value)
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items()}
    return value


def deed(spec: Spec, number: int, args: tuple[Any, ...], tried: int) -> Any:
    """What a call of a drawn task does, given how often it was tried before."""
    seen = known(args)
    digest = crc32(repr((number, seen)).encode())
    manner = spec.behave[digest % len(spec.behave)]
    if manner == "fail":
        raise RuntimeError(f"{number}:{digest}")
    if manner == "skip":
        raise Skip(f"{number}:{digest}")
    if manner == "flaky" and tried < 1:
        raise RuntimeError(f"{number}:{digest} at first")
    if manner == "absent" and tried < 1:
        raise KeyError(f"{number}:{digest} at first")
    if manner == "list":
        return [(number, digest, at) for at in range(digest % 4)]
    return ("value", number, digest)


MANNERS = st.lists(
    st.sampled_from(["value", "value", "value", "list", "list", "fail", "skip", "flaky", "absent"]),
    min_size=1,
    max_size=4,
)

TRIGGERS = st.sampled_from(
    ["all_successful"] * 6
    + [
        "all_finished",
        "always_run",
        "all_failed",
        "any_successful",
        "any_failed",
        "not_all_skipped",
        "one",
        "half",
    ]
)


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Spec], list[int]]:
    """Specs, and the handles that the flow returns. A spec makes a handle, one that maps over a list makes several."""
    specs: list[Spec] = []
    mapped: list[bool] = []
    for _ in range(draw(st.integers(1, 9))):
        count = len(mapped)
        refs = st.integers(0, count - 1) if count else st.nothing()
        some = st.lists(refs, max_size=2, unique=True) if count else st.just([])
        kind = draw(
            st.sampled_from(
                ["call", "call", "map", "map", "map", "list", "item"] if count else ["call", "map"]
            )
        )
        more: dict[str, Any] = {}
        if kind == "call":
            args: list[Any] = [("ref", each) for each in draw(some)]
            if args and draw(st.booleans()):
                args = [draw(st.sampled_from([[args], (1, args), {"a": args}]))]
            args += draw(st.lists(st.integers(0, 3), max_size=1))
        elif kind == "map":
            widths = st.integers(0, 5).map(lambda width: tuple(range(width)))
            source = st.one_of(widths, refs.map(lambda h: ("ref", h)), refs.map(lambda h: ("ref", h)))
            args = draw(st.lists(source if count else widths, min_size=1, max_size=2))
            more["fixed"] = tuple(draw(some))
        elif kind == "list":
            args = [("ref", each) for each in draw(st.lists(refs, min_size=1, max_size=3, unique=True))]
        else:
            args = [("ref", draw(refs)), draw(st.sampled_from([0, 0, 1, 7, "a"]))]
        if kind != "item":
            more |= {
                "after": tuple(draw(some)) if draw(st.integers(0, 3)) == 0 else (),
                "trigger": draw(TRIGGERS),
                "skips": draw(st.integers(0, 3)) > 0,
                "retries": draw(st.sampled_from([0, 0, 0, 1, 2])),
                "picky": draw(st.integers(0, 3)) == 0,
                "behave": tuple(draw(MANNERS)) if draw(st.booleans()) else ("value", "list"),
            }
        specs.append(Spec(kind, tuple(args), **more))
        mapped += [kind == "map"] * (len(args) if kind == "list" else 1)
    returned = draw(st.lists(st.integers(0, len(mapped) - 1), max_size=3))
    return specs, returned


COUNTED: WeakValueDictionary[int, Any] = WeakValueDictionary()


class Counted:
    """The function of a drawn task; counts its calls, and for each set of arguments how often it was tried."""

    def __init__(self, spec: Spec, number: int) -> None:
        self.spec, self.number = spec, number
        self.calls = 0
        self.tried: Counter[str] = Counter()
        self.lock = threading.Lock()
        COUNTED[id(self)] = self

    def __reduce__(self) -> Any:
        return counted, (id(self),)  # it travels to this process only

    def __call__(self, *args: Any) -> Any:
        key = "" if self.spec.kind == "call" else repr(known(args))
        with self.lock:
            self.calls += 1
            tried = self.tried[key]
            self.tried[key] += 1
        return deed(self.spec, self.number, args, tried)


def counted(key: int) -> Counted:
    return COUNTED[key]


NAMED = {"one": some_successful(at_least=1), "half": some_failed(at_least=0.5)}


def record(
    specs: Sequence[Spec],
    returned: Sequence[int],
    item: Any = operator.getitem,
    made: Callable[[Spec, int], Any] = Counted,
) -> tuple[Graph, dict[int, Any]]:
    """The graph, and the functions of its tasks as `made` makes them, by number; `calls` of each counts its runs."""
    functions = {number: made(spec, number) for number, spec in enumerate(specs) if spec.kind != "item"}

    def body() -> Any:
        handles: list[Any] = []

        def real(value: Any) -> Any:
            if isinstance(value, tuple) and value and value[0] == "ref":
                return handles[value[1]]
            if isinstance(value, (list, tuple)):
                return type(value)(real(item) for item in value)
            return {key: real(item) for key, item in value.items()} if isinstance(value, dict) else value

        for number, spec in enumerate(specs):
            if spec.kind == "item":
                handles.append(item(handles[spec.args[0][1]], spec.args[1]))
                continue
            trigger = NAMED.get(spec.trigger) or trigger_named(spec.trigger)
            policy = Policy(
                retries=spec.retries,
                retry_on=LookupError if spec.picky else None,
                trigger=trigger,
                skip_on_upstream_skip=spec.skips,
                crash_retries=1000,
            )
            task = Task(functions[number], policy, f"task{number}").after(*(handles[h] for h in spec.after))
            if spec.kind == "call":
                handles.append(task(*real(spec.args)))
            elif spec.kind == "list":
                handles += task.map(list(real(spec.args)))
            else:
                handles.append(task.map(*real(spec.args), *(unmapped(handles[h]) for h in spec.fixed)))
        return {"returned": [handles[h] for h in returned]}

    return FlowDefinition(body, name="drawn").record(), functions

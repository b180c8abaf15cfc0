"""Random graphs end as an interpreter of some sixty lines says, whatever the executor and the batches do.

`PENSTOCK_GRAPHS=2000` draws that many graphs instead of the usual few hundred.
"""

import operator
import os
import pickle
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakValueDictionary
from zlib import crc32

import attrs
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from penstock.engine.batching import Batching
from penstock.engine.ending import end_run
from penstock.engine.loop import Loop
from penstock.engine.queues import Queue
from penstock.engine.run import run_graph
from penstock.engine.schedule import Schedule
from penstock.engine.site import Site, Sites
from penstock.engine.telling import Observers
from penstock.errors import ParameterError, Skip, WorkerLostError
from penstock.executor import Executor
from penstock.flows.definition import FlowDefinition
from penstock.flows.graph import Graph
from penstock.flows.mapping import unmapped
from penstock.flows.options import FlowOptions
from penstock.flows.policy import Policy
from penstock.flows.task import Task
from penstock.hooks import hookimpl
from penstock.ledger import Ledger
from penstock.records import FlowRun
from penstock.sources import load_source
from penstock.states import RunState, TaskState
from penstock.task_runs import TaskRuns
from penstock.triggers import some_failed, some_successful, trigger_named

GRAPHS = int(os.environ.get("PENSTOCK_GRAPHS", "300"))
bounded = settings(
    max_examples=GRAPHS,
    deadline=None,
    derandomize="PENSTOCK_GRAPHS" not in os.environ,
    suppress_health_check=list(HealthCheck),
)

InlineExecutor = load_source(Path(__file__).parent.parent / "inline_executor.py").InlineExecutor
KeepingExecutor = load_source(Path(__file__).parent.parent / "keeping_executor.py").KeepingExecutor

SUCCESS, FAILED, SKIPPED, TRIGGER_FAILED = (
    TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED, TaskState.TRIGGER_FAILED
)  # fmt: skip


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


# The drawn graphs.

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


# The reference: plain evaluation, one call after the other.


class Cell:
    """What became of a node: of a mapped one, `runs` holds what became of each element."""

    def __init__(
        self,
        state: TaskState,
        value: Any,
        runs: list[tuple[TaskState, Any]] | None = None,
        *,
        mapped: bool = False,
    ) -> None:
        self.state, self.value, self.runs, self.mapped = state, value, runs, mapped

    @property
    def states(self) -> list[TaskState]:
        return [self.state] if self.runs is None else [state for state, _ in self.runs]


def allowed(trigger: str, states: Sequence[TaskState]) -> bool:
    failed = sum(state in (FAILED, TRIGGER_FAILED) for state in states)
    good, all_skipped = len(states) - failed, all(state is SKIPPED for state in states)
    return {
        "all_successful": not failed,
        "all_finished": True,
        "always_run": True,
        "all_failed": not good,
        "any_successful": good > 0,
        "any_failed": failed > 0,
        "not_all_skipped": not failed and not all_skipped,
        "one": good >= 1,
        "half": failed >= len(states) / 2,
    }[trigger]


class Interpreter:
    """Plain evaluation, one call after the other; `calls` is how often the function of each spec is called.

    told_apart: whether all elements of tasks that fail at first have arguments of their own, so that their function
    can tell a second try from another element.
    """

    def __init__(self, specs: Sequence[Spec]) -> None:
        self.cells: list[Cell] = []
        self.calls: Counter[int] = Counter()
        self.told_apart = True
        self._seen: set[tuple[int, str]] = set()
        for number, spec in enumerate(specs):
            if spec.kind == "map":
                self.cells.append(self.spread(number, spec))
            elif spec.kind == "list":
                self.cells += [self.single(number, spec, (arg,)) for arg in spec.args]
            else:
                self.cells.append(self.single(number, spec, spec.args))

    def filled(self, value: Any) -> Any:
        if isinstance(value, tuple) and value and value[0] == "ref":
            return self.cells[value[1]].value
        if isinstance(value, (list, tuple)):
            return type(value)(self.filled(item) for item in value)
        return {key: self.filled(item) for key, item in value.items()} if isinstance(value, dict) else value

    def run(self, number: int, spec: Spec, args: tuple[Any, ...]) -> tuple[TaskState, Any]:
        key = (number, repr(known(args)))
        self.told_apart &= key not in self._seen or not AT_FIRST.intersection(spec.behave)
        self._seen.add(key)
        for tried in range(spec.retries + 1):
            self.calls[number] += 1
            try:
                return SUCCESS, args[0][args[1]] if spec.kind == "item" else deed(spec, number, args, tried)
            except Skip:
                return SKIPPED, None
            except Exception as error:  # noqa: BLE001  (whatever an item access raises)
                last = error
                if spec.picky and not isinstance(error, LookupError):
                    break
        return FAILED, last

    def decide(self, spec: Spec, upstream: list[Cell], own: list[TaskState]) -> TaskState | None:
        if spec.skips and SKIPPED in [*(cell.state for cell in upstream), *own]:
            return SKIPPED
        states = [state for cell in upstream for state in cell.states] + own
        return TRIGGER_FAILED if (upstream or own) and not allowed(spec.trigger, states) else None

    def single(self, number: int, spec: Spec, args: tuple[Any, ...]) -> Cell:
        upstream = [self.cells[h] for h in sorted({*refs_in(args), *spec.after})]
        verdict = self.decide(spec, upstream, [])
        return Cell(verdict, None) if verdict else Cell(*self.run(number, spec, self.filled(args)))

    def source(self, spec: Spec, arg: Any) -> Any:
        """What an argument is spread over, or what becomes of the node because it cannot be."""
        if arg[:1] != ("ref",):
            return arg
        cell = self.cells[arg[1]]
        if cell.runs is not None:
            return [value for _, value in cell.runs]
        if cell.state is not SUCCESS or cell.mapped:
            return Cell(
                SKIPPED if cell.state is SKIPPED and spec.skips else TRIGGER_FAILED, None, mapped=True
            )
        if not isinstance(cell.value, (list, tuple)):
            return Cell(FAILED, ParameterError(""), mapped=True)
        return cell.value

    def spread(self, number: int, spec: Spec) -> Cell:
        sources = [self.source(spec, arg) for arg in spec.args]
        ended = next((source for source in sources if isinstance(source, Cell)), None)
        if ended is not None:
            return ended
        followed = [h for h in dict.fromkeys(refs_in(spec.args)) if self.cells[h].mapped]
        whole = [h for h in refs_in(spec.args) if not self.cells[h].mapped]
        upstream = [self.cells[h] for h in sorted({*whole, *spec.fixed, *spec.after})]
        runs = []
        for index, items in enumerate(zip(*sources, strict=False)):
            verdict = self.decide(spec, upstream, [self.cells[h].runs[index][0] for h in followed])
            args = (*items, *(self.cells[h].value for h in spec.fixed))
            runs.append((verdict, None) if verdict else self.run(number, spec, args))
        states = [state for state, _ in runs]
        bad = next((state for state in states if state in (FAILED, TRIGGER_FAILED)), None)
        state = bad or (SKIPPED if states and set(states) == {SKIPPED} else SUCCESS)
        return Cell(state, [value for each, value in runs if each is not SKIPPED], runs, mapped=True)


def refs_in(value: Any) -> list[int]:
    if isinstance(value, tuple) and value and value[0] == "ref":
        return [value[1]]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return [h for item in items for h in refs_in(item)]


def decisive(specs: Sequence[Spec], returned: Sequence[int], count: int) -> set[int]:
    """The handles that decide the run: those returned, and those that nothing depends on."""
    used = {h for spec in specs for h in (*refs_in(spec.args), *spec.fixed, *spec.after)}
    return {*returned, *(set(range(count)) - used)}


# The same graph as a flow.


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


def compare(drawn: tuple[list[Spec], list[int]], run: FlowRun, functions: dict[int, Any], once: bool) -> None:
    specs, returned = drawn
    reference = Interpreter(specs)
    cells, calls = reference.cells, reference.calls
    assume(reference.told_apart)
    expected = [
        (index, state)
        for cell in cells
        for index, state in (
            [(None, cell.state)] if cell.runs is None else enumerate(state for state, _ in cell.runs)
        )
    ]
    listed = [number for number, spec in enumerate(specs) if spec.kind == "list"]
    runs = [(None if int(each.name[4:] or -1) in listed else each.index, each.state) for each in named(run)]
    assert runs == expected
    if once:
        assert {number: each.calls for number, each in functions.items()} == {
            number: calls[number] for number in functions
        }
    bad = {h for h, cell in enumerate(cells) if {FAILED, TRIGGER_FAILED} & {cell.state, *cell.states}}
    assert run.state is (RunState.FAILED if bad & decisive(specs, returned, len(cells)) else RunState.SUCCESS)
    if run.explainer is not None:
        assert all(run.explain(each).startswith(f"{each.label} is {each.state}") for each in run.task_runs)
    if not bad & set(returned):
        assert known(run.result) == {"returned": [known(cells[h].value) for h in returned]}


def named(run: FlowRun) -> Iterator[Any]:
    for each in run.task_runs:
        yield each if each.name != "item" else type(each)(name="task", index=None, state=each.state)


# Executors.


class ShufflingExecutor(Executor):
    """One thread that runs what is held in random order, and loses its worker now and then.

    crossing: whether calls and values go through pickle, as they do to another process.
    """

    def __init__(self, *, seed: int, width: int, crossing: bool, losses: float = 0.0) -> None:
        self.seed, self.width, self.crossing, self.losses = seed, width, crossing, losses

    @property
    def slots(self) -> int:
        return self.width

    @contextmanager
    def start(self) -> Iterator[Executor]:
        self._random = random.Random(self.seed)
        self._held: list[tuple[Future[Any], Any, Any]] = []
        self._changed = threading.Condition()
        self._closed = False
        thread = threading.Thread(target=self._work, name="shuffling")
        thread.start()
        try:
            yield self
        finally:
            with self._changed:
                self._closed = True
                self._changed.notify()
            thread.join()

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._changed:
            self._held.append((future, fn, args))
            self._changed.notify()
        return future

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._held or self._closed)
                if self._closed:
                    return
                future, fn, args = self._held.pop(self._random.randrange(len(self._held)))
            if not future.set_running_or_notify_cancel():
                continue
            lost = self._random.random() < self.losses
            early = self._random.random() < 0.5
            if self.crossing:
                args = pickle.loads(pickle.dumps(args))
            value = None if lost and early else fn(*args)
            if lost:
                future.set_exception(WorkerLostError("gone", sure=early))
            else:
                future.set_result(value)


class CancellingExecutor(ShufflingExecutor):
    """Cancels the run, which it observes, when so many batches were submitted."""

    def __init__(self, after: int, **options: Any) -> None:
        super().__init__(**options)
        self.left = after

    @hookimpl
    def penstock_flow_started(self, run: FlowRun) -> None:
        """There is a run to be cancelled."""
        self.run = run

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Future[Any]:
        """Cancel it if it is time, and submit all the same."""
        self.left -= 1
        if self.left < 0:
            self.run.cancel()
        return super().submit(fn, *args, extra_context=extra_context, **kwargs)


class RandomBatching(Batching):
    """Makes up what calls cost and what a batch may hold."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.random = random.Random(seed)

    def learn(self, task: Any, calls: int, seconds: float) -> None:
        """Forget the clock."""
        self.costs[task] = self.random.choice([0.001, 0.01, 0.1, 1.0])
        self.most[task] = self.random.choice([1, 2, 5, 1000])

    def budget(self, queue: Queue, slots: int) -> float:
        """Anything."""
        return self.random.choice([0.0, 0.01, 0.1, 1.0, 100.0])

    def chain(self) -> float:
        """Anything."""
        return self.random.choice([0.01, 1.0, 100.0])


def run_batched_at_random(graph: Graph, executor: Executor, seed: int, least: int | None = None) -> FlowRun:
    """As `run_graph` does it, with tasks whose costs are made up, and known from the start for some.

    least: bytes of a value that stays on an executor that keeps results remote; as ever if not given.
    """
    ledger = Ledger([node.task.name for node in graph.nodes], [node.index for node in graph.nodes])
    run = FlowRun(id="drawn", flow="drawn", executor="", task_runs=TaskRuns(ledger))
    schedule = Schedule(graph, ledger)
    batching = RandomBatching(seed)
    for node in graph.nodes:
        if batching.random.random() < 0.8:
            batching.learn(node.task, 1, 0.0)
    site = Site(executor, "drawn")
    site.batching = batching
    if least is not None:
        site.luggage.least = least
    with Sites([site]) as sites:
        sites.open(site)
        Loop(schedule, sites, run, Observers(())).go()
        end_run(run, graph, schedule)
    return run


@bounded
@given(graphs())
def test_on_one_call_at_a_time(drawn: tuple[list[Spec], list[int]]) -> None:
    """States, values and executions are those of the reference on the local executor."""
    graph, functions = record(*drawn)
    compare(drawn, run_graph(graph, InlineExecutor()), functions, once=True)


@bounded
@given(graphs(), st.integers(0, 2**32), st.integers(1, 4), st.booleans())
def test_in_any_order_and_any_batches(
    drawn: tuple[list[Spec], list[int]], seed: int, width: int, crossing: bool
) -> None:
    """Nothing depends on the order in which batches end, nor on what is put into them."""
    graph, functions = record(*drawn)
    executor = ShufflingExecutor(seed=seed, width=width, crossing=crossing)
    compare(drawn, run_batched_at_random(graph, executor, seed), functions, once=True)


@bounded
@given(graphs(), st.integers(0, 2**32), st.booleans())
def test_on_several_executors_with_limits(
    drawn: tuple[list[Spec], list[int]], seed: int, crossing: bool
) -> None:
    """Nothing depends on where the calls of a task are made, nor on how many may be made at once."""
    graph, functions = record(*drawn)
    chance = random.Random(seed)
    shuffling, keeping = (
        made(seed=seed, width=2, crossing=crossing) for made in (ShufflingExecutor, KeepingExecutor)
    )
    for task in dict.fromkeys(node.task for node in graph.nodes if node.task.name.startswith("task")):
        executor = chance.choice([None, shuffling, keeping])
        tags = chance.choice([(), ("one",), ("two", "one"), ("two",)])
        task.policy = attrs.evolve(task.policy, executor=executor, tags=tags)
    graph.options = FlowOptions(limits={"one": 1, "two": 2})
    compare(drawn, run_graph(graph, InlineExecutor()), functions, once=True)


@bounded
@given(graphs(), st.integers(0, 2**32), st.integers(1, 4), st.booleans(), st.integers(0, 12))
def test_a_run_that_is_cancelled_anywhere_leaves_no_task_run_open(
    drawn: tuple[list[Spec], list[int]], seed: int, width: int, crossing: bool, after: int
) -> None:
    """Whichever submission it is that the run is cancelled at; what was over keeps the state that it has anyway."""
    first, kept = record(*drawn)
    whole = run_graph(first, InlineExecutor())
    graph, also_kept = record(*drawn)
    executor = CancellingExecutor(after, seed=seed, width=width, crossing=crossing)
    run = run_graph(graph, executor, observers=[executor])
    states = [each.state for each in run.task_runs]
    assert all(state.finished for state in states)
    if run.state is not RunState.CANCELLED:
        assert states == [each.state for each in whole.task_runs]
    expected = {each.key: each.state for each in whole.task_runs}
    for each in run.task_runs:
        assert each.state in (expected.get(each.key, TaskState.CANCELLED), TaskState.CANCELLED)
    assert kept.keys() == also_kept.keys(), "functions live for as long as they are held"


@bounded
@given(graphs(), st.integers(0, 2**32), st.integers(1, 4), st.booleans())
def test_with_workers_lost(
    drawn: tuple[list[Spec], list[int]], seed: int, width: int, crossing: bool
) -> None:
    """Lost batches change nothing but how often calls run."""
    specs = [
        each._replace(behave=tuple(m for m in each.behave if m not in AT_FIRST) or ("value",))
        for each in drawn[0]
    ]
    item = Task(operator.getitem, Policy(crash_retries=1000), "item")
    graph, functions = record(specs, drawn[1], item)
    executor = ShufflingExecutor(seed=seed, width=width, crossing=crossing, losses=0.3)
    compare((specs, drawn[1]), run_batched_at_random(graph, executor, seed), functions, once=False)


@bounded
@given(graphs(), st.integers(0, 2**32), st.integers(1, 4), st.booleans(), st.sampled_from([0, 60]))
def test_with_values_that_stay_on_workers(
    drawn: tuple[list[Spec], list[int]], seed: int, width: int, crossing: bool, least: int
) -> None:
    """Nothing is otherwise where all values stay on the workers, or those that are large."""
    graph, functions = record(*drawn)
    executor = KeepingExecutor(seed=seed, width=width, crossing=crossing, typed=seed % 2 == 0)
    compare(drawn, run_batched_at_random(graph, executor, seed, least), functions, once=True)


@bounded
@given(graphs(), st.integers(0, 2**32), st.integers(1, 4), st.sampled_from([0, 60]))
def test_with_values_that_stay_and_workers_lost(
    drawn: tuple[list[Spec], list[int]], seed: int, width: int, least: int
) -> None:
    """Calls that are lost with their workers are made again where values stay, too."""
    specs = [
        each._replace(behave=tuple(m for m in each.behave if m not in AT_FIRST) or ("value",))
        for each in drawn[0]
    ]
    item = Task(operator.getitem, Policy(crash_retries=1000), "item")
    graph, functions = record(specs, drawn[1], item)
    executor = KeepingExecutor(seed=seed, width=width, losses=0.3, typed=seed % 2 == 0)
    compare((specs, drawn[1]), run_batched_at_random(graph, executor, seed, least), functions, once=False)

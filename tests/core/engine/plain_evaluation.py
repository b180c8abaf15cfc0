"""The reference that runs of drawn graphs are compared with: plain evaluation, one call after the other."""

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hypothesis import assume

from turgo.errors import ParameterError, Skip
from turgo.records.flow_run import FlowRun
from turgo.records.states import RunState, TaskState
from turgo.registry.source_files import load_source

drawing = load_source(Path(__file__).with_name("drawn_graphs.py"))

SUCCESS, FAILED, SKIPPED, TRIGGER_FAILED = (
    TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED, TaskState.TRIGGER_FAILED
)  # fmt: skip


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

    def __init__(self, specs: Sequence[drawing.Spec]) -> None:
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

    def run(self, number: int, spec: drawing.Spec, args: tuple[Any, ...]) -> tuple[TaskState, Any]:
        key = (number, repr(drawing.known(args)))
        self.told_apart &= key not in self._seen or not drawing.AT_FIRST.intersection(spec.behave)
        self._seen.add(key)
        for tried in range(spec.retries + 1):
            self.calls[number] += 1
            try:
                return SUCCESS, args[0][args[1]] if spec.kind == "item" else drawing.deed(
                    spec, number, args, tried
                )
            except Skip:
                return SKIPPED, None
            except Exception as error:  # noqa: BLE001  (whatever an item access raises)
                last = error
                if spec.picky and not isinstance(error, LookupError):
                    break
        return FAILED, last

    def decide(self, spec: drawing.Spec, upstream: list[Cell], own: list[TaskState]) -> TaskState | None:
        if spec.skips and SKIPPED in [*(cell.state for cell in upstream), *own]:
            return SKIPPED
        states = [state for cell in upstream for state in cell.states] + own
        return TRIGGER_FAILED if (upstream or own) and not allowed(spec.trigger, states) else None

    def picked(self, cell: Cell, key: Any) -> Cell:
        """An element of a map, which is as that element is, whatever became of others."""
        if cell.runs is None:
            return Cell(SKIPPED if cell.state is SKIPPED else TRIGGER_FAILED, None)
        try:
            state, value = cell.runs[key]
        except (LookupError, TypeError) as error:
            return Cell(FAILED, error)
        return Cell(state, value) if state in (SUCCESS, SKIPPED) else Cell(TRIGGER_FAILED, None)

    def single(self, number: int, spec: drawing.Spec, args: tuple[Any, ...]) -> Cell:
        if spec.kind == "item" and self.cells[args[0][1]].mapped:
            return self.picked(self.cells[args[0][1]], args[1])
        upstream = [self.cells[h] for h in sorted({*refs_in(args), *spec.after})]
        verdict = self.decide(spec, upstream, [])
        return Cell(verdict, None) if verdict else Cell(*self.run(number, spec, self.filled(args)))

    def source(self, spec: drawing.Spec, arg: Any) -> Any:
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

    def spread(self, number: int, spec: drawing.Spec) -> Cell:
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


def decisive(specs: Sequence[drawing.Spec], returned: Sequence[int], cells: Sequence[Cell]) -> set[int]:
    """The handles that decide the run: those returned, and those that nothing depends on but for an element of them."""
    used = {
        h
        for spec in specs
        for h in (*refs_in(spec.args), *spec.fixed, *spec.after)
        if spec.kind != "item" or not cells[h].mapped
    }
    return {*returned, *(set(range(len(cells))) - used)}


def compare(
    drawn: tuple[list[drawing.Spec], list[int]], run: FlowRun, functions: dict[int, Any], once: bool
) -> None:
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
    assert run.state is (RunState.FAILED if bad & decisive(specs, returned, cells) else RunState.SUCCESS)
    if run.explainer is not None:
        assert all(run.explain(each).startswith(f"{each.title} is {each.state}") for each in run.task_runs)
    if not bad & set(returned):
        assert drawing.known(run.result) == {"returned": [drawing.known(cells[h].value) for h in returned]}


def named(run: FlowRun) -> Iterator[Any]:
    for each in run.task_runs:
        yield each if each.name != "item" else type(each)(name="task", index=None, state=each.state)

"""The inputs of calls, for those that are shown: `path='data/f137.txt'`, or what the label of the task makes of it.

Of a call that fails its input is written down at once, as its arguments may be dropped then; of the first so many of a
run. Values that stay on workers are not fetched.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator, Mapping
from typing import Any

from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.remote import RemoteValue
from turgo.flows.graph import Node
from turgo.flows.shown_values import Words, shown_arguments
from turgo.flows.task import AnyTask
from turgo.records.ledger import Key
from turgo.records.states import PRESENT
from turgo.worker.arguments import CONSTANTS, RESULTS, TEMPLATES, fill, results_in
from turgo.worker.values.pickles import message_of

KEPT_INPUTS = 1000
"""Of how many task runs that failed the input is kept."""

_EMPTY: Mapping[Any, Any] = {inspect.Parameter.VAR_POSITIONAL: (), inspect.Parameter.VAR_KEYWORD: {}}

Place = int | str

logger = logging.getLogger("turgo")


class AbsentError(LookupError):
    """An argument of a call is not on the driver."""


def argument(
    progress: Progress, node: Node, place: Place, index: int | None, made: Mapping[Key, Any] = _EMPTY
) -> Any:
    """The value of one argument of a call. Raises AbsentError if it is not here.

    made: values of calls that have just come, and that the progress does not know yet.
    """
    held = node.args[place] if isinstance(place, int) else node.kwargs[place]
    if node.spread is not None and index is not None and place in node.spread:
        sources = progress.mapped[node.id].sources
        if not sources:
            raise AbsentError("not here any more")
        source = sources[node.spread.index(place)]
        value = _value(progress, source, index, made) if type(source) is int else source[index]
    elif node.plan == CONSTANTS:
        value = held
    else:
        value = (
            _value(progress, held, None, made)
            if node.plan == RESULTS
            else fill(held, lambda upstream: _value(progress, upstream, None, made))
        )
    if type(value) is RemoteValue:
        raise AbsentError("on a worker")
    return value


def _value(progress: Progress, node: int, index: int | None, made: Mapping[Key, Any]) -> Any:
    mapped = progress.mapped.get(node)
    if made and mapped is not None and index is None:
        keys = [(node, at) for at in range(mapped.width)]
        if keys and all(key in made for key in keys):
            return [made[key] for key in keys]
    elif made and (node, None if mapped is None else index) in made:
        return made[node, None if mapped is None else index]
    code = progress.states[node] if index is None or mapped is None else mapped.states[index]
    if code not in PRESENT:
        raise AbsentError("not here")
    value = progress.values[node] if index is None or mapped is None else mapped.values[index]
    if type(value) is RemoteValue and value.home:
        return value.home[0]
    return value


def note_input(progress: Progress, key: Key) -> None:
    """Write down the input of a call that fails now."""
    kept = progress.ledger.inputs
    if len(kept) < KEPT_INPUTS:
        kept[key] = input_of(progress, key)


def input_of(progress: Progress, key: Key) -> str:
    """The input of a call; nothing if it has none, or nobody knows it."""
    node, index = progress.nodes[key[0]], key[1]
    if node.spread is not None and index is None:
        return ""
    try:
        arguments = _Arguments(progress, node, index)
        label = node.task.policy.label
        made = None if label is None else _labelled(progress, node.task, label, arguments)
        return shown_arguments(arguments.shown()) if made is None else made
    except Exception as error:  # noqa: BLE001  (the run may have ended meanwhile, in another thread)
        logger.debug("the input of a call of %s is not known: %r", node.task.name, error)
        return ""


def _labelled(progress: Progress, task: AnyTask, label: str, arguments: _Arguments) -> str | None:
    """What a task's label makes of a call; None if it fails, which is said once."""
    from turgo.flows.labels import made_label  # late: few tasks have one

    try:
        return made_label(label, task.fn, arguments)
    except KeyboardInterrupt:
        raise
    except AbsentError:
        return None
    except BaseException as error:  # noqa: BLE001  (the author's own code, which is to break no run)
        if task not in progress.faulty_labels:
            progress.faulty_labels.add(task)
            kind = type(error).__name__
            logger.warning(
                "the label %r of %s cannot be made: %s: %.200s", label, task.name, kind, message_of(error)
            )
    return None


class _Arguments(Mapping[str, Any]):
    """The arguments of one call by the names of their parameters; each is looked up when it is asked for."""

    def __init__(self, progress: Progress, node: Node, index: int | None) -> None:
        self._progress = progress
        self._node = node
        self._index = index
        self._signature = node.task.signature
        places = self._signature.bind(*range(len(node.args)), **{name: name for name in node.kwargs})
        self._places: Mapping[str, Any] = places.arguments

    def __getitem__(self, name: str) -> Any:
        if name not in self._places:
            return _EMPTY.get(self._signature.parameters[name].kind, self._signature.parameters[name].default)
        places = self._places[name]
        if isinstance(places, tuple):
            return tuple(map(self._at, places))
        return {each: self._at(each) for each in places} if isinstance(places, dict) else self._at(places)

    def __iter__(self) -> Iterator[str]:
        return iter(self._signature.parameters)

    def __len__(self) -> int:
        return len(self._signature.parameters)

    def _at(self, place: Place) -> Any:
        return argument(self._progress, self._node, place, self._index)

    def shown(self) -> Iterator[tuple[str, Any]]:
        """Names and values; of a mapped call of those that differ between its elements."""
        kinds = inspect.Parameter
        for name, places in self._places.items():
            kind = self._signature.parameters[name].kind
            if kind is kinds.VAR_KEYWORD:
                yield from ((each, self._shown(each)) for each in places if self._differs(each))
            elif kind is kinds.VAR_POSITIONAL:
                if any(map(self._differs, places)):
                    yield name, tuple(map(self._shown, places))
            elif self._differs(places):
                yield name, self._shown(places)

    def _shown(self, place: Place) -> Any:
        """An argument, or what it is the value of if it is not here."""
        try:
            return self._at(place)
        except AbsentError as error:
            return Words(f"<{self._made_by(place)}, {error}>")

    def _made_by(self, place: Place) -> str:
        """The calls that made an argument."""
        node, progress = self._node, self._progress
        held = node.args[place] if isinstance(place, int) else node.kwargs[place]
        names = progress.ledger.names
        if node.spread is not None and place in node.spread:
            sources = progress.mapped[node.id].sources
            source = sources[node.spread.index(place)] if sources else None
            if type(source) is int:
                return f"value of {names[source]}[{self._index}]"
        nodes = [held] if node.plan == RESULTS else sorted(results_in(held)) if node.plan == TEMPLATES else []
        return f"value of {', '.join(names[each] for each in nodes)}"

    def _differs(self, place: Place) -> bool:
        return self._node.spread is None or place in self._node.spread

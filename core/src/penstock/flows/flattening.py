"""`flatten(x)`: the elements of the elements, as one list.

    counts.map(flatten(find.map(folders)))     each call of `find` brings a list; one call of `counts` for each path

What is in lists that are known while the flow is recorded is flattened at once; for a result, that is a task.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from penstock.errors import ParameterError
from penstock.flows.hidden import refuse_results
from penstock.flows.policy import Policy
from penstock.flows.results import Result, current_recorder
from penstock.flows.shapes import flattened
from penstock.flows.task import Task

flattening = Task(flattened, Policy(), "flatten")
"""The task behind `flatten(…)` of results."""


def flatten(nested: Iterable[Iterable[Any]]) -> Any:
    """One list of the elements of the elements of `nested`; what is nested more deeply stays as it is.

    `nested` may be a mapped result, another result, or a collection that holds results; then a result is returned. Of
    anything else, inside and outside a flow, it returns a list. Raises ParameterError if an element is no collection.
    """
    recorder = current_recorder()
    if isinstance(nested, Result):
        elements: Any = nested
    elif isinstance(nested, (str, bytes)) or not isinstance(nested, Iterable):
        raise ParameterError(f"flatten() needs a collection of collections, not {nested!r:.80}")
    else:
        elements = list(nested)
    if recorder is None:
        refuse_results("flatten()", [elements])
    elif isinstance(elements, Result) or any(isinstance(each, Result) for each in elements):
        return recorder.call(flattening, (elements,), {})
    try:
        return flattened(elements)
    except TypeError as error:
        raise ParameterError(str(error)) from None

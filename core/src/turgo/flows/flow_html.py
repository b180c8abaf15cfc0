"""A flow as a notebook shows it: what it is for, and its parameters."""

from __future__ import annotations

import inspect
from typing import Any, Protocol

from turgo.config.convert import type_name
from turgo.records.html import bold, paragraph, table
from turgo.redaction import redacted_repr
from turgo.registry.options import annotation_of


class Shown(Protocol):
    """What is asked of a flow here."""

    name: str
    fn: Any
    signature: inspect.Signature
    executor: Any
    requires: frozenset[str]


def flow_html(flow: Shown) -> str:
    """It."""
    about = (inspect.getdoc(flow.fn) or "").partition("\n\n")[0]
    rows = [
        [
            f"{_STARS.get(parameter.kind, '')}{parameter.name}",
            type_name(annotation_of(parameter, flow.fn)),
            "" if parameter.default is parameter.empty else redacted_repr(parameter.default, parameter.name),
        ]
        for parameter in flow.signature.parameters.values()
    ]
    parts = [table(bold(f"flow {flow.name}"), ["parameter", "type", "default"], rows)]
    parts += [paragraph(about)] if about else []
    if flow.executor is not None:
        shown = flow.executor if isinstance(flow.executor, str) else redacted_repr(flow.executor)
        parts.append(paragraph(f"runs on {shown}, unless something stronger says otherwise"))
    if flow.requires:
        parts.append(paragraph(f"requires {', '.join(sorted(flow.requires))}"))
    return "".join(parts)


_STARS: dict[Any, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}

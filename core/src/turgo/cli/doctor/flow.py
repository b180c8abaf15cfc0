"""Looks at a flow: what it asks of workers, what it imports there, and whether it can be sent to them."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from turgo.cli.doctor.findings import WRONG, Finding
from turgo.engine.transport.flow_code import FlowCode
from turgo.engine.transport.functions import Calls
from turgo.engine.transport.unpicklable import unportable_constants
from turgo.errors import OptionError, ValueNotPortableError
from turgo.executor import Executor
from turgo.flows.graph import Graph


def imports_of(graph: Graph) -> list[str]:
    """The installed packages, by their top modules, that the modules of a flow import; sorted."""
    code = FlowCode({node.task for node in graph.nodes})
    own = {name: module for name, module in code.modules.items() if _lies_in(module, code.folders)}
    found = {name.partition(".")[0] for module in own.values() for name in _imports_in(module)}
    ours = {name.partition(".")[0] for name in own} | {"turgo"}
    return sorted(found - ours - sys.stdlib_module_names)


def _lies_in(module: ModuleType, folders: Iterable[Path]) -> bool:
    """Whether it is a file of the flow; a file that holds an executor, or another flow, lies elsewhere."""
    file = getattr(module, "__file__", None)
    return isinstance(file, str) and any(Path(file).resolve().is_relative_to(each) for each in folders)


def _imports_in(module: ModuleType) -> Iterator[str]:
    try:
        with open(module.__file__ or "", "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            yield node.module


def offered(graph: Graph, executor: Executor) -> Iterator[Finding]:
    """What a flow requires, or a tag of a task asks for, and a started executor does not offer."""
    tags = {tag: node.task.name for node in graph.nodes for tag in node.task.policy.tags}
    wanted = dict.fromkeys(graph.requires, "the flow")
    wanted |= {asked: f"the task {task}" for tag, task in tags.items() if (asked := _resource(tag, executor))}
    for requirement, who in sorted(wanted.items()):
        if not executor.offers(requirement):
            text = f"{who} requires {requirement}, which this executor, as it is set here, does not offer"
            yield Finding("executor", text, WRONG, "turgo executors list says which one can")
    for tag, task in tags.items():
        try:
            executor.check_tags([tag])
        except OptionError as error:
            yield Finding("executor", f"the task {task}: {error}", WRONG)


def _resource(tag: str, executor: Executor) -> str:
    """What a tag asks for, in the words of `requires`; empty if it is no resource of this executor."""
    form = re.escape(executor.resource_tag).replace(r"\{name\}", "(?P<name>.+)").replace(r"\{amount\}", ".+")
    found = re.fullmatch(form, tag) if form else None
    return f"resources:{found['name']}" if found else ""


def sendable(graph: Graph) -> Iterator[Finding]:
    """Whether workers elsewhere can be sent what a recorded flow consists of."""
    wrong = list(dict.fromkeys(_obstacles(graph)))
    advice = "make it inside the task, or pass what it is made of"
    yield from (Finding("flow", each, WRONG, advice) for each in wrong)
    if not wrong:
        tasks = len({node.task for node in graph.nodes})
        calls = "1 task" if tasks == 1 else f"{tasks} tasks"
        yield Finding(
            "flow", f"{graph.flow}: {calls}, whose code and arguments can be sent to other processes"
        )


def _obstacles(graph: Graph) -> Iterable[str]:
    calls = Calls(nodes=graph.nodes)
    for task in dict.fromkeys(node.task for node in graph.nodes):
        try:
            calls.blob(task)
        except ValueNotPortableError as error:
            yield str(error)
    for node in graph.nodes:
        yield from unportable_constants(node, lambda value: calls.dumps(value, None))

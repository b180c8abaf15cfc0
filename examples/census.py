"""A census of Python's standard library: every module measured, one task run for each.

    turgo run examples/census.py
    turgo run examples/census.py --executor local_dask -o scheduler=processes
    turgo run examples/census.py -p root=src -p limit=100 -p out=census.json

The answer is the same, byte for byte, on every executor: nothing in it depends on who measured, in which
order or how fast.

Cyclomatic complexity (McCabe 1976) is one for a function and one more for each way to branch in it: `if`,
`for`, `while`, `except`, `assert`, a conditional expression, each further operand of `and` and `or`, each
loop and condition of a comprehension, each `case` that does not match everything. A function inside another
is counted by itself.
"""

from __future__ import annotations

import ast
import json
import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from turgo import flow, task, unmapped

LEFT_OUT = {"__pycache__", "site-packages", "dist-packages", "test", "tests", "idle_test"}
TOP_LEVEL = "(single modules)"
MOST_COMPLEX = 20

Function = tuple[int, str, int, str]
"""Complexity, file, line and qualified name."""


@task
def find(root: str, limit: int | None = None) -> list[str]:
    """The first `limit` modules below `root`, sorted, as names relative to it with forward slashes."""
    if not os.path.isdir(root):
        raise NotADirectoryError(root)
    if limit is not None and limit < 0:
        raise ValueError(f"limit is {limit}; it must not be negative")
    names = []
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in LEFT_OUT and name.isidentifier()]
        modules = (name for name in files if name.endswith(".py") and name[:-3].isidentifier())
        names += [Path(folder, name).relative_to(root).as_posix() for name in modules]
    return sorted(names)[:limit]


@task
def measure(name: str, root: str) -> dict[str, Any]:
    """What there is to count in one module, and its most complex functions."""
    source = Path(root, name).read_bytes()
    counts = {"name": name, "lines": len(source.splitlines()), "parsed": True}
    try:
        tree = ast.parse(source, filename=name)
    except (SyntaxError, ValueError):
        return counts | {"parsed": False, "functions": 0, "classes": 0, "complexity": 0, "most_complex": []}
    functions = [(complexity(node), name, node.lineno, path) for node, path in functions_in(tree)]
    return counts | {
        "functions": len(functions),
        "classes": sum(isinstance(node, ast.ClassDef) for node in ast.walk(tree)),
        "complexity": sum(function[0] for function in functions),
        "most_complex": sorted(functions, key=by_complexity)[:MOST_COMPLEX],
    }


def functions_in(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    """Each function of a module with its qualified name, those in classes and in other functions too."""
    open_nodes: list[tuple[ast.AST, str]] = [(tree, "")]
    while open_nodes:
        node, path = open_nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            path = f"{path}.{node.name}".lstrip(".")
            if not isinstance(node, ast.ClassDef):
                yield node, path
        open_nodes += [(child, path) for child in ast.iter_child_nodes(node)]


def complexity(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The cyclomatic complexity of a function, without that of the functions inside it."""
    total, open_nodes = 1, list[ast.AST](function.body)
    while open_nodes:
        node = open_nodes.pop()
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            total += branches(node)
            open_nodes += ast.iter_child_nodes(node)
    return total


def branches(node: ast.AST) -> int:
    """How many ways to branch this node adds, not counting those below it."""
    if isinstance(node, (ast.If, ast.IfExp, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.Assert)):
        return 1
    if isinstance(node, ast.BoolOp):
        return len(node.values) - 1
    if isinstance(node, ast.comprehension):
        return 1 + len(node.ifs)
    if isinstance(node, ast.match_case):
        matches_all = isinstance(node.pattern, ast.MatchAs) and node.pattern.pattern is None
        return 0 if matches_all and node.guard is None else 1
    return 0


def by_complexity(function: Function) -> tuple[int, str, int, str]:
    """The most complex first, equals by file and line."""
    return (-function[0], *function[1:])


@task
def summarise(stats: list[dict[str, Any]]) -> dict[str, Any]:
    """The counts of each package and of all, and the most complex functions of all."""
    packages: dict[str, list[dict[str, Any]]] = {}
    for module in stats:
        package, slash, _ = module["name"].partition("/")
        packages.setdefault(package if slash else TOP_LEVEL, []).append(module)
    functions = [tuple(function) for module in stats for function in module["most_complex"]]
    return {
        "packages": {package: add_up(packages[package]) for package in sorted(packages)},
        "total": add_up(stats),
        "not_parsed": [module["name"] for module in stats if not module["parsed"]],
        "most_complex": [
            dict(zip(("complexity", "file", "line", "function"), function, strict=True))
            for function in sorted(functions, key=by_complexity)[:MOST_COMPLEX]
        ],
    }


def add_up(modules: list[dict[str, Any]]) -> dict[str, int]:
    """The sums over some modules, and the greatest complexity of a function in them."""
    keys = ("lines", "functions", "classes", "complexity")
    sums = {key: sum(module[key] for module in modules) for key in keys}
    highest = max((module["most_complex"][0][0] for module in modules if module["most_complex"]), default=0)
    return {"modules": len(modules), **sums, "highest": highest}


@task
def write_json(summary: dict[str, Any], path: str) -> str:
    """Write the summary to `path`: all of it or, if anything goes wrong, nothing."""
    target = Path(path)
    unfinished = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    try:
        unfinished.write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return path


@task
def render(summary: dict[str, Any]) -> str:
    """The summary as text: a table of the packages and one of the most complex functions."""
    columns = ("modules", "lines", "functions", "classes", "mean", "highest")
    lines = [f"{'package':<20}" + "".join(f"{column:>11}" for column in columns)]
    for package, sums in [*summary["packages"].items(), ("total", summary["total"])]:
        mean = f"{sums['complexity'] / sums['functions']:.1f}" if sums["functions"] else "-"
        cells = [f"{mean if column == 'mean' else sums[column]:>11}" for column in columns]
        lines.append(f"{package:<20}" + "".join(cells))
    lines += ["", "complexity  function"]
    for entry in summary["most_complex"]:
        lines.append(f"{entry['complexity']:>10}  {entry['file']}:{entry['line']} {entry['function']}")
    if summary["not_parsed"]:
        lines += ["", "does not parse: " + ", ".join(summary["not_parsed"])]
    return "\n".join(lines)


@flow
def census(root: str | None = None, limit: int | None = None, out: str | None = None) -> str:
    """Measure at most `limit` modules below `root` (the standard library if none); JSON goes to `out`."""
    # Paths are made absolute here, on the driver: a worker may have another working directory.
    root = os.path.abspath(root or sysconfig.get_path("stdlib"))
    names = find(root, limit)
    summary = summarise(measure.map(names, unmapped(root)))
    if out is not None:
        write_json(summary, os.path.abspath(out))
    return render(summary)

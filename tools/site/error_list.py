"""The list of errors: of each class of `turgo.errors` what it says, what it comes from and what to do.

The cause is the first sentence of its docstring, the remedy the paragraph that begins with `Remedy:`. The texts are
read from the sources, from each call that makes such an error, or that calls a function of the module which makes it
of a text that it is given; `…` stands for what is put in.
"""

import ast
import inspect
import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import turgo.errors

MARK = "<!-- the errors -->"
"""Where in a page they go."""

SOURCES = ("core/src/turgo", "plugins/*/src")
ROOT = Path(__file__).resolve().parents[2]
PAGE = re.compile(r"\bdocs/([a-z-]+\.md)\b")
REMEDY = re.compile(r"^Remedy: (.+?)(?:\n\n|\Z)", re.MULTILINE | re.DOTALL)


def errors() -> list[type[Exception]]:
    """The classes, in the order of the file."""
    classes = [each for _, each in inspect.getmembers(turgo.errors, inspect.isclass)]
    own = [each for each in classes if each.__module__ == turgo.errors.__name__]
    return sorted(own, key=lambda each: inspect.getsourcelines(each)[1])


def cause(error: type[Exception]) -> str:
    """What it says in the first place, without the remedy."""
    return linked(REMEDY.sub("", inspect.getdoc(error) or "").strip())


def remedy(error: type[Exception]) -> str:
    """What to do; empty if its own docstring does not say."""
    found = REMEDY.search(inspect.cleandoc(vars(error).get("__doc__") or ""))
    return linked(" ".join(found[1].split())) if found else ""


def linked(text: str) -> str:
    """The text with `docs/runs.md` as a link to that page, which has its title."""
    return PAGE.sub(r"[](\1)", text)


def texts() -> dict[str, list[str]]:
    """Of each class the texts that the sources give it, in order and without those that are made elsewhere."""
    names = {error.__name__ for error in errors()}
    found: dict[str, list[str]] = defaultdict(list)
    for folder in (folder for source in SOURCES for folder in sorted(ROOT.glob(source))):
        for file in sorted(folder.rglob("*.py")):
            for name, text in made(ast.parse(file.read_text(encoding="utf-8")), names):
                said = re.sub("…+", "…", " ".join(text.split()))
                if re.search(r"\w{3}", said) and said not in found[name]:
                    found[name].append(said)
    return found


def made(tree: ast.Module, names: set[str]) -> Iterator[tuple[str, str]]:
    """The errors that a module makes, by the name of the class, with the text: `Error(text)`, `make(Error, text)`."""
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    constants = [node for node in tree.body if isinstance(node, ast.Assign)]
    makers: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for function in functions:
        parameters = [each.arg for each in function.args.args if each.arg != "self"]
        for error, text in _given(function, names):
            if isinstance(text, ast.Name) and text.id in parameters:
                makers[function.name].append((error, parameters.index(text.id)))
    for function in functions:
        known = [*constants, *(node for node in ast.walk(function) if isinstance(node, ast.Assign))]
        for error, text in _given(function, names):
            yield error, template(assigned(text, known))
        for node in ast.walk(function):
            if isinstance(node, ast.Call):
                for error, place in makers.get(called(node), ()):
                    if place < len(node.args):
                        yield error, template(assigned(node.args[place], known))


def _given(tree: ast.AST, names: set[str]) -> Iterator[tuple[str, ast.expr]]:
    """The errors that are made there, each with the expression of its text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            for error, text in pairwise([node.func, *node.args]):
                if isinstance(error, ast.Name) and error.id in names:
                    yield error.id, text


def called(call: ast.Call) -> str:
    """The name of the function that is called, or of the method of `self`."""
    function = call.func
    if isinstance(function, ast.Attribute) and named(function.value, "self"):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def assigned(node: ast.expr, known: list[ast.Assign]) -> ast.expr:
    """What a name stands for in the line where it is used, also before `.format`; another expression as it is."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return assigned(node.func.value, known)
    values = [
        each.value
        for each in sorted(known, key=lambda each: each.lineno)
        if isinstance(node, ast.Name) and each.lineno < node.lineno and named(each.targets[0], node.id)
    ]
    return values[-1] if values else node


def named(target: ast.expr, name: str) -> bool:
    """Whether an expression is that name."""
    return isinstance(target, ast.Name) and target.id == name


def template(node: ast.expr) -> str:
    """A text with `…` for what is put in; only that for what is no literal text."""
    if isinstance(node, ast.Constant):
        return re.sub(r"{\w+}", "…", node.value) if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(template(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return template(node.left) + template(node.right)
    return "…"


def page() -> Iterator[str]:
    """The list in Markdown."""
    said = texts()
    for error in errors():
        bases = [
            base.__name__ for base in error.__bases__ if base not in (Exception, turgo.errors.TurgoError)
        ]
        yield f"## `{error.__name__}`\n"
        yield f"{cause(error)}\n"
        if bases:
            yield f"It derives from {' and '.join(f'`{base}`' for base in bases)}.\n"
        yield f"**What to do:** {remedy(error)}\n"
        if said[error.__name__]:
            yield "It says:\n"
            yield "\n".join(f"- ```` {text} ````" for text in said[error.__name__]) + "\n"


def on_source(app: Any, page_name: str, source: list[str]) -> None:
    """Sphinx hands over the text of a page and takes what is left in the list."""
    if MARK in source[0]:
        source[0] = source[0].replace(MARK, "\n".join(page()))

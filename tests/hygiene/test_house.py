"""The measures of the house: what a number and an attribute need, so that a reader is not stopped by them."""

import ast
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

UNIT = re.compile(r"\w+_(WIDTH|VERSION|SHARE|FACTOR|[A-Z]+S)")
"""What a number is measured in: one of these words, or what it counts, in the plural."""

GIVEN = {"STDERR", "_PR_SET_PDEATHSIG", "_TO_CALLER"}
"""Numbers that name something, as the system or the interpreter has it."""

FOLDER_MODULES = 14
"""So many a reader takes in; the groups of the conformance suite are a list, and may be more."""

NO_NOUNS = ("__init__.py", "__main__.py", "_version.py")
"""What a folder has besides."""

CROWD_ATTRIBUTES = 3
"""So many attributes of an object in one statement are too many."""


@pytest.fixture(scope="module")
def trees(root: Path) -> dict[Path, ast.Module]:
    """Each module of core and the plugins, parsed."""
    sources = [root / "core/src", *root.glob("plugins/*/src")]
    files = sorted(path for source in sources for path in source.rglob("*.py"))
    return {path.relative_to(root): ast.parse(path.read_text(encoding="utf-8")) for path in files}


def test_no_folder_is_crowded(trees: dict[Path, ast.Module]) -> None:
    """What no longer fits into one is two nouns."""
    modules = Counter(path.parent for path in trees if path.name not in NO_NOUNS)
    crowded = {str(each): count for each, count in modules.items() if count > FOLDER_MODULES}
    assert not {each: count for each, count in crowded.items() if not each.endswith("testing/groups")}


def numbers(tree: ast.Module) -> Iterator[str]:
    """The names of numbers at the level of a module, written down or computed from written ones."""
    for node in tree.body:
        targets = (
            node.targets
            if isinstance(node, ast.Assign)
            else [node.target]
            if isinstance(node, ast.AnnAssign) and node.value
            else []
        )
        for target in targets:
            if isinstance(target, ast.Name) and target.id.isupper() and is_number(node.value):
                yield target.id


def is_number(value: ast.expr) -> bool:
    """Whether an expression is made of numbers alone."""
    if isinstance(value, ast.UnaryOp):
        return is_number(value.operand)
    if isinstance(value, ast.BinOp):
        return is_number(value.left) and is_number(value.right)
    return isinstance(value, ast.Constant) and type(value.value) in (int, float)


def test_a_number_has_one_home(trees: dict[Path, ast.Module]) -> None:
    """The name of a number at the level of a module is defined once in the whole tree."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path, tree in trees.items():
        for name in numbers(tree):
            homes[name].append(str(path))
    assert not {name: paths for name, paths in homes.items() if len(paths) > 1}


def test_a_number_says_its_unit(trees: dict[Path, ast.Module]) -> None:
    """The name of a number ends in what it counts."""
    unclear = [
        f"{path}: {name}"
        for path, tree in trees.items()
        for name in numbers(tree)
        if not UNIT.fullmatch(name) and name not in GIVEN
    ]
    assert not unclear


def own_attributes(node: ast.AST) -> int:
    """How many attributes of `self` a statement assigns."""
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Tuple):
        return 0
    return sum(ast.unparse(each).startswith("self.") for each in node.targets[0].elts)


def test_attributes_are_made_one_by_one(trees: dict[Path, ast.Module]) -> None:
    """No statement assigns three attributes of an object or more: each has a line, and may have a comment."""
    crowded = [
        f"{path}:{node.lineno}"
        for path, tree in trees.items()
        for node in ast.walk(tree)
        if own_attributes(node) >= CROWD_ATTRIBUTES
    ]
    assert not crowded

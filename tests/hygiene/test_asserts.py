"""An assert tells type checkers what is known: with `python -O` it is not there, so it guards nothing."""

import ast
from pathlib import Path

import pytest

OWN = ("core/src/turgo", "plugins/local/src", "plugins/local_dask/src", "plugins/dask/src")


def asserts(root: Path) -> list[tuple[str, ast.Assert]]:
    """Those of the packages that run in production; the suite for authors is made of them."""
    found = []
    for folder in OWN:
        for path in sorted((root / folder).rglob("*.py")):
            if "testing" not in path.relative_to(root).parts:
                tree = ast.parse(path.read_text(encoding="utf-8"))
                name = path.relative_to(root).as_posix()
                found += [(name, node) for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    return found


def is_not_none(test: ast.expr) -> bool:
    """Whether it says that something is there."""
    if isinstance(test, ast.BoolOp):
        return isinstance(test.op, ast.And) and all(map(is_not_none, test.values))
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.ops[0], ast.IsNot)
        and isinstance(test.comparators[0], ast.Constant)
        and test.comparators[0].value is None
    )


def test_an_assert_says_that_something_is_there(root: Path) -> None:
    """Whatever else can fail is an error of its own."""
    assert [f"{name}:{node.lineno}" for name, node in asserts(root) if not is_not_none(node.test)] == []


@pytest.mark.parametrize(
    ("text", "fine"), [("x is not None and y is not None", True), ("x", False), ("x == 1", False)]
)
def test_what_may_be_asserted(text: str, fine: bool) -> None:
    """Nothing that is a rule."""
    assert is_not_none(ast.parse(text, mode="eval").body) is fine

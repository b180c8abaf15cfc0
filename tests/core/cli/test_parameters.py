"""`-p key=value` into values, by the signature of the flow."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from click.testing import CliRunner

from turgo.cli import USAGE, main
from turgo.cli.parameters import read_parameters
from turgo.cli.root import turgo
from turgo.errors import ParameterError

if TYPE_CHECKING:
    from decimal import Decimal


class Named:
    """A flow as far as its parameters go."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self.fn, self.name, self.signature = fn, fn.__name__, inspect.signature(fn)


def census(  # type: ignore[no-untyped-def]
    root: str,
    limit: int | None = None,
    *,
    exact: bool = False,
    sizes: list[int] = [],  # noqa: B006  (never called)
    out: Path = Path("x"),
    mode: Literal["fast", "slow"] = "fast",
    untyped=1,
    checked: "Decimal | None" = None,
) -> None:
    """A flow with a parameter of each kind."""


def read(**texts: str) -> dict[str, Any]:
    """The values of a census."""
    return read_parameters(Named(census), texts)


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("limit", "10", 10),
        ("limit", "none", None),
        ("root", "10", "10"),
        ("root", "", ""),
        ("root", "a=b", "a=b"),
        ("exact", "true", True),
        ("sizes", "[1, 2]", [1, 2]),
        ("out", "a/b", Path("a/b")),
        ("mode", "slow", "slow"),
        ("untyped", "[1, 'a']", [1, "a"]),
        ("untyped", "as it is", "as it is"),
        ("checked", "1.5", 1.5),
    ],
)
def test_the_declared_type_decides(name: str, text: str, value: Any) -> None:
    """A value becomes what its parameter is declared as; what is declared as text stays as it is written."""
    read_value = read(**{"root": "x", name: text})[name]
    assert read_value == value and type(read_value) is type(value)


@pytest.mark.parametrize(
    ("name", "text"),
    [("limit", "ten"), ("limit", "1.5"), ("exact", "maybe"), ("sizes", "[1, 'a']"), ("mode", "quick")],
)
def test_a_wrong_type_names_the_parameter(name: str, text: str) -> None:
    """The message says which parameter of which flow, what is expected and what was given."""
    with pytest.raises(ParameterError, match=f"parameter '{name}' of flow 'census'") as caught:
        read(**{"root": "x", name: text})
    assert caught.value.parameter == name
    assert f"-p {name}" in str(caught.value)


def test_an_unknown_parameter_names_the_nearest() -> None:
    """The message lists what the flow has, with types."""
    with pytest.raises(ParameterError, match=r"no parameter 'limt'.*did you mean 'limit'") as caught:
        read(root="x", limt="3")
    assert "limit (int | None)" in str(caught.value)


def test_missing_parameters_are_listed_with_their_types() -> None:
    """All of them at once, and how to give them."""

    def needy(first: str, second: int, third: float = 1.0) -> None: ...

    with pytest.raises(
        ParameterError, match=r"needs first \(str\), second \(int\): give -p first=… -p second=…"
    ):
        read_parameters(Named(needy), {})


@pytest.mark.parametrize(("name", "instead"), [("executor", "--executor"), ("executor_options", "-o")])
def test_reserved_names_say_what_to_write_instead(name: str, instead: str) -> None:
    """The executor is no parameter of a flow."""
    with pytest.raises(ParameterError, match=f"write {instead}"):
        read(**{"root": "x", name: "dask"})


def test_a_flow_that_takes_any_keyword_gets_it() -> None:
    """`**more: int` takes further names, each of its type; `*args` cannot be given and is not asked for."""

    def open_ended(*args: str, **more: int) -> None: ...

    assert read_parameters(Named(open_ended), {"a": "1"}) == {"a": 1}
    with pytest.raises(ParameterError, match="parameter 'a'"):
        read_parameters(Named(open_ended), {"a": "x"})


@pytest.mark.parametrize(
    ("args", "pair"),
    [
        (["--folder", "x"], "folder=x"),
        (["--folder=a b"], "'folder=a b'"),
        (["--my-folder", "--quiet"], "my_folder=…"),
        (["--folder"], "folder=…"),
    ],
)
def test_an_unknown_option_of_run_says_how_parameters_are_given(
    args: list[str], pair: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As one that is written as most programs take theirs: with what to write instead."""
    assert main(["run", "census.py", *args]) == USAGE
    told = " ".join(capsys.readouterr().err.split())
    assert f"a parameter of the flow is given as -p {pair}, an option of the executor as -o {pair}" in told


def test_an_unknown_letter_of_run_is_no_parameter(capsys: pytest.CaptureFixture[str]) -> None:
    """Flows have no parameters of one dash."""
    assert main(["run", "census.py", "-z"]) == USAGE
    assert "-p" not in capsys.readouterr().err


@pytest.mark.parametrize("key", ["a\nb", "\x1b[31m", "\x85"])
def test_a_name_that_steers_a_terminal_is_refused(key: str) -> None:
    """Messages would print it."""
    result = CliRunner().invoke(turgo, ["run", "flow.py", "-p", f"{key}=1"])
    assert result.exit_code == 2 and "expected key=value, got" in result.output

"""Options that a file of settings takes from a variable or another file."""

import pytest
from click.testing import CliRunner

from turgo import Executor, get_executor
from turgo.cli.root import turgo
from turgo.errors import OptionError


class Guarded(Executor):
    """One that needs a secret."""

    def __init__(
        self,
        token: str = "",
        kwargs: dict | None = None,
        size: int = 1,
        fast: bool | None = None,
        parts: list[int] = (),
        anything=None,
        password=None,
    ) -> None:
        self.token = token
        self.kwargs = kwargs
        self.size = size
        self.fast = fast
        self.parts = parts
        self.anything = anything
        self.password = password

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise NotImplementedError


@pytest.fixture
def settle(tmp_path, monkeypatch):
    """Write the options of the profile `guarded`."""
    monkeypatch.chdir(tmp_path)

    def write(options):
        text = f'[executors.guarded]\nuse = "{__name__}:Guarded"\n{options}\n'
        (tmp_path / "turgo.toml").write_text(text, encoding="utf-8")

    return write


def test_a_secret_comes_from_a_variable_or_a_file(settle, tmp_path, monkeypatch):
    """At any depth; the line end of the file is no part of it, and `repr` does not show it."""
    (tmp_path / "token").write_text("s3cr3t\n", encoding="utf-8")
    settle(
        f'token = {{ file = "{tmp_path}/token" }}\nkwargs = {{ deep = {{ password = {{ env = "DB_PASSWORD" }} }} }}'
    )
    monkeypatch.setenv("DB_PASSWORD", "hunter2")
    executor = get_executor("guarded")
    assert (executor.token, executor.kwargs) == ("s3cr3t", {"deep": {"password": "hunter2"}})
    assert "s3cr3t" not in repr(executor) and "hunter2" not in repr(executor)


@pytest.mark.parametrize(
    ("option", "text", "value"),
    [
        ("size", "12", 12),
        ("fast", "yes", True),
        ("fast", "none", None),
        ("parts", "[1, 2]", [1, 2]),
        ("token", "12", "12"),
        ("anything", "12", 12),
        ("anything", "eth0", "eth0"),
        ("password", "12", "12"),
    ],
)
@pytest.mark.parametrize("kind", ["env", "file"])
def test_it_becomes_what_the_option_is_as_any_text_does(
    settle, tmp_path, monkeypatch, kind, option, text, value
):
    """By the one rule of variables and `-o`; what nobody declares, and is secret by its name, stays a text."""
    (tmp_path / "kept").write_text(f"{text}\n", encoding="utf-8")
    monkeypatch.setenv("KEPT", text)
    where = "KEPT" if kind == "env" else tmp_path / "kept"
    settle(f'{option} = {{ {kind} = "{where}" }}')
    found = getattr(get_executor("guarded"), option)
    assert (found, type(found)) == (value, type(value))


def test_within_a_mapping_a_number_is_one_unless_it_is_secret(settle, monkeypatch):
    """By its name, as everywhere."""
    monkeypatch.setenv("KEPT", "12")
    settle('kwargs = { n_workers = { env = "KEPT" }, password = { env = "KEPT" } }')
    assert get_executor("guarded").kwargs == {"n_workers": 12, "password": "12"}


def test_a_mapping_may_have_such_a_key_itself(settle):
    """`env` of a cluster is what its workers get."""
    settle('kwargs = { env = "plain" }')
    assert get_executor("guarded").kwargs == {"env": "plain"}


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ('{ env = "NO_SUCH_VARIABLE" }', "the variable NO_SUCH_VARIABLE is not set"),
        ('{ file = "/no/such/file" }', "/no/such/file cannot be read: FileNotFoundError"),
        ('{ file = "a\\u0000b" }', "cannot be read: ValueError"),
    ],
)
def test_what_is_not_there_is_an_error_that_says_where_it_is_asked_for(settle, reference, says):
    """One sentence, with the line of the file."""
    settle(f"token = {reference}")
    with pytest.raises(OptionError) as caught:
        get_executor("guarded")
    assert says in str(caught.value) and "turgo.toml, line 3" in str(caught.value)


def test_the_line_is_that_of_the_reference_itself(settle):
    """Whatever comes after it in the same table."""
    settle('[executors.guarded.kwargs]\npassword = { env = "NO_SUCH_VARIABLE" }\ntimeout = 3\nzeta = 4')
    with pytest.raises(
        OptionError, match=r"turgo\.toml, line 4, key 'executors\.guarded\.kwargs\.password\.env'"
    ):
        get_executor("guarded")


def test_nothing_that_is_shown_has_it(settle, monkeypatch):
    """Neither `config` nor `executors list` or `show`, as text and as JSON, nor an error of the option."""
    monkeypatch.setenv("HPC_TOKEN", "s3cr3t")
    settle('token = { env = "HPC_TOKEN" }\nkwargs = { password = "hunter2", url = "https://u:hunter2@host" }')
    for command in (["config"], ["executors", "list"], ["executors", "show", "guarded"]):
        for form in ([], ["--json"]):
            result = CliRunner().invoke(turgo, [*command, *form])
            assert result.exit_code == 0, result.output
            assert "s3cr3t" not in result.output and "hunter2" not in result.output
            assert "HPC_TOKEN" in result.output
    for wrong in ('token = ["hunter2"]', 'size = { env = "HPC_TOKEN" }'):
        settle(wrong)
        with pytest.raises(OptionError) as caught:
            get_executor("guarded")
        assert "hunter2" not in str(caught.value) and "s3cr3t" not in str(caught.value)

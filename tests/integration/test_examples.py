"""The examples run as a user runs them, on every executor, and give the same bytes on each."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

from turgo.testing import ExecutorConformance

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DASK = pytest.mark.cluster
MATRIX = pytest.mark.matrix
FIRST_MODULES = "limit=40"

EXECUTORS: dict[str, tuple[list[str], dict[str, str]]] = {
    "local_dask": (["--executor", "local_dask"], {}),
    "processes": (["--executor", "local_dask", "-o", "scheduler=processes"], {}),
    "dask": (["--executor", "dask"], {}),
    "class path": (["--executor", "turgo_dask.DaskExecutor"], {}),
    "file": (["--executor", f"{EXAMPLES}/my_executor.py:MyExecutor"], {}),
    "variable": ([], {"TURGO_EXECUTOR": "dask"}),
}
"""The arguments and variables that choose an executor other than the local one."""


def on_each(names: Iterable[str] = EXECUTORS, *, sample: str) -> pytest.MarkDecorator:
    """Runs a test on some of EXECUTORS; sample: the one on which `make test` runs it."""
    in_dask = ("dask", "class path", "variable")
    marks = {name: [DASK] * (name in in_dask) + [MATRIX] * (name != sample) for name in names}
    cases = [pytest.param(*EXECUTORS[name], id=name, marks=marks[name]) for name in names]
    return pytest.mark.parametrize(("arguments", "variables"), cases)


Command = Callable[..., str]


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Run Python with arguments, in an empty folder and without settings; gives its standard output."""
    home = tmp_path_factory.mktemp("home")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TURGO_")}

    def run(*arguments: str, folder: Path = home, **variables: str) -> str:
        environment = {**kept, "HOME": str(home), "XDG_CONFIG_HOME": str(home), **variables}
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture(scope="module")
def census_on_local(command: Command, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The JSON that the census writes on the local executor."""
    return run_census(command, tmp_path_factory.mktemp("local") / "census.json", ["--executor", "local"])


def run_census(command: Command, out: Path, arguments: list[str], **variables: str) -> bytes:
    file = str(EXAMPLES / "census.py")
    command("-m", "turgo", "run", file, "-p", FIRST_MODULES, "-p", f"out={out}", *arguments, **variables)
    return out.read_bytes()


def load(name: str) -> ModuleType:
    """An example as a module; its tasks are plain functions outside a flow."""
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@on_each(sample="dask")
def test_the_census_writes_the_same_bytes_on_every_executor(
    command: Command,
    census_on_local: bytes,
    arguments: list[str],
    variables: dict[str, str],
    tmp_path: Path,
) -> None:
    """However the executor is chosen, the JSON is that of the local one, byte for byte."""
    assert run_census(command, tmp_path / "census.json", arguments, **variables) == census_on_local


def test_the_census_prints_its_tables(command: Command) -> None:
    """The result of the flow, which is text, is what the command line prints."""
    printed = command("-m", "turgo", "run", str(EXAMPLES / "census.py"), "-p", FIRST_MODULES)
    assert "(single modules)" in printed
    assert "complexity  function" in printed


def test_the_census_takes_a_relative_path_from_where_the_user_stands(
    command: Command, tmp_path: Path
) -> None:
    """`root` and `out` are relative to the working directory of the command, on workers too."""
    tmp_path.joinpath("code").mkdir()
    tmp_path.joinpath("code", "one.py").write_text("def f(): pass\n")
    arguments = ["-p", "root=code", "-p", "out=census.json", "--executor", "local_dask"]
    arguments += ["-o", "scheduler=processes"]
    command("-m", "turgo", "run", str(EXAMPLES / "census.py"), *arguments, folder=tmp_path)
    assert '"modules": 1' in tmp_path.joinpath("census.json").read_text()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("pass", 1),
        ("if a: pass\nelif b: pass\nelse: pass", 3),
        ("for x in y: pass\nelse: pass", 2),
        ("while a and b or c: pass", 4),
        ("try: pass\nexcept A: pass\nexcept B: pass\nfinally: pass", 3),
        ("return [x for x in y if x if z]", 4),
        ("return a if b else c", 2),
        ("assert a", 2),
        ("match a:\n    case 1: pass\n    case x if x: pass\n    case _: pass", 3),
        ("def inner():\n    if a: pass", 1),
        ("return lambda: a or b", 2),
    ],
)
def test_complexity_is_that_of_mccabe(body: str, expected: int, tmp_path: Path) -> None:
    """One for the function and one for each way to branch; an inner function counts by itself."""
    source = "def outer():\n" + textwrap.indent(body, "    ") + "\n"
    tmp_path.joinpath("module.py").write_text(source)
    measured = load("census").measure("module.py", str(tmp_path))
    found = {name: complexity for complexity, _, _, name in measured["most_complex"]}
    assert found["outer"] == expected


def test_a_module_that_does_not_parse_is_counted_as_such(tmp_path: Path) -> None:
    """Its lines count, it is listed by name, and the census goes on."""
    tmp_path.joinpath("good.py").write_text("class A:\n    def f(self): pass\n")
    tmp_path.joinpath("syntax.py").write_text("def (\n")
    tmp_path.joinpath("null.py").write_bytes(b"a = 1\n\0\n")
    census = load("census")
    names = census.find(str(tmp_path))
    assert names == ["good.py", "null.py", "syntax.py"]
    summary = census.summarise([census.measure(name, str(tmp_path)) for name in names])
    assert summary["not_parsed"] == ["null.py", "syntax.py"]
    expected = {"modules": 3, "lines": 5, "functions": 1, "classes": 1, "complexity": 1, "highest": 1}
    assert summary["total"] == expected
    assert "does not parse: null.py, syntax.py" in census.render(summary)


def test_modules_are_found_sorted_without_tests_and_installed_packages(tmp_path: Path) -> None:
    """Names are relative with forward slashes; folders of tests, caches and packages are left out."""
    kept = ["a.py", "package/__init__.py", "package/b.py"]
    left_out = [
        "test/c.py",
        "package/tests/d.py",
        "site-packages/e.py",
        "__pycache__/f.py",
        "not-a-module.py",
    ]
    for name in [*left_out, *reversed(kept), "package/data.txt"]:
        tmp_path.joinpath(name).parent.mkdir(parents=True, exist_ok=True)
        tmp_path.joinpath(name).touch()
    find = load("census").find
    assert find(str(tmp_path)) == kept
    assert find(str(tmp_path), 2) == kept[:2]
    assert find(str(tmp_path), 0) == []
    with pytest.raises(NotADirectoryError):
        find(str(tmp_path / "absent"))
    with pytest.raises(ValueError, match="negative"):
        find(str(tmp_path), -1)


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What cannot be written leaves the old file as it was, and no other file."""
    write_json = load("census").write_json
    target = tmp_path / "out.json"
    write_json({"a": 1}, str(target))
    with pytest.raises(TypeError):
        write_json({"a": object()}, str(target))
    assert target.read_text() == '{\n  "a": 1\n}\n'
    assert list(tmp_path.iterdir()) == [target]


@pytest.mark.parametrize(
    "executor",
    [
        "local",
        pytest.param("local_dask", marks=MATRIX),
        "./my_executor.py:MyExecutor",
        pytest.param("dask", marks=[DASK, MATRIX]),
    ],
)
def test_links_finds_what_is_broken_on_its_own_site(command: Command, executor: str) -> None:
    """Run as a script it serves a site, finds the three broken links, and outlasts the busy page."""
    assert command("links.py", executor, folder=EXAMPLES).splitlines() == [
        "40 links are good, 3 broken, 1 lead elsewhere",
        "404  gone-1.html",
        "404  gone-2.html",
        "404  gone-3.html",
    ]


def test_links_asks_a_busy_page_again() -> None:
    """The page that was busy has two attempts in the record, every other one has one."""
    links = load("links")
    with links.served() as url:
        run = links.links.run(site=url, executor="local_dask", executor_options={"num_workers": 4})
    assert run.ok
    attempts = sorted(len(each.attempts) for each in run.task_runs if each.name == "check")
    assert attempts == [1] * 43 + [2]


SEEN = """\
scores: Failed in TIME on EXECUTOR (run scores-ID), 202 task runs

task  Success  Failed  TriggerFailed  work
find  1  TIME
score  199  1  TIME
best  1

score[137] (path='data/f137.txt') Failed in attempt 3 on WORKER
  Traceback (most recent call last):
    File "EXAMPLES/scores.py", line 34, in score
      numbers = list(map(float, words))
  ValueError: could not convert string to float: '1e'
  its log:
    8 numbers, which are usually 10
    8 numbers, which are usually 10
    8 numbers, which are usually 10
  to make it again here: turgo replay scores-ID 'score[137]'

What finished is kept. To go on with the rest: turgo run EXAMPLES/scores.py --resume=scores-ID
"""
"""What one sees of a bad file, but for times, workers and the marks below a line, which no two Pythons set alike."""

SCORED_ON = [
    pytest.param("local", [], id="local"),
    pytest.param("local_dask", ["scheduler=threads"], id="threads", marks=MATRIX),
    pytest.param("local_dask", ["scheduler=processes", "num_workers=2"], id="processes"),
    pytest.param("dask", ["cluster_kwargs.n_workers=2"], id="dask", marks=[DASK, MATRIX]),
]


@pytest.fixture(scope="module")
def measured(command: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the 200 files of the example below it, one of them bad."""
    folder = tmp_path_factory.mktemp("measured")
    command(str(EXAMPLES / "scores.py"), "data", folder=folder)
    return folder


def seen(folder: Path, *arguments: str) -> str:
    """What `turgo run` of the scores writes to standard error, from the line on that says how it ended."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TURGO_")}
    state = {"XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder)}
    command = [sys.executable, "-m", "turgo", "run", str(EXAMPLES / "scores.py"), *arguments]
    done = subprocess.run(
        command, cwd=folder, env=kept | state, capture_output=True, text=True, timeout=100, check=False
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stdout + done.stderr
    return done.stderr[done.stderr.index("scores: Failed") :]


def without_facts_of_the_run(text: str) -> str:
    """What is seen, with words in the place of what differs from run to run."""
    for pattern, word in [
        (re.escape(str(EXAMPLES)), "EXAMPLES"),
        (r"scores-[0-9a-f]{12}", "scores-ID"),
        (r"(?<=in )\S+ m?s on \w+", "TIME on EXECUTOR"),
        (r"(?<=attempt 3 on ).+", "WORKER"),
        (r"(?<=\S)  +", "  "),
        (r"(?<=  )\S+ (ms|s|min .*)$", "TIME"),
        (r"(?<=scores.py) .*(?= --resume)", ""),
        (r"^ *[~^]+ *\n", ""),
    ]:
        text = re.sub(pattern, word, text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize(("executor", "options"), SCORED_ON)
def test_what_is_seen_of_a_bad_file_is_the_same_on_every_executor(
    measured: Path, executor: str, options: list[str]
) -> None:
    """Which file it is, the line that failed on it, what was logged, and the two commands to go on with."""
    given = [word for option in options for word in ("-o", option)]
    assert without_facts_of_the_run(seen(measured, "--executor", executor, *given)) == SEEN


def test_what_the_summary_says_can_be_typed(command: Command, tmp_path: Path) -> None:
    """The bad call is made again here, the file is mended, and the rest is finished by the line of the summary."""
    command(str(EXAMPLES / "scores.py"), "data", folder=tmp_path)
    lines = seen(tmp_path).splitlines()
    replay, resume = (
        shlex.split(next(line for line in lines if f"turgo {name}" in line).partition("turgo ")[2])
        for name in ("replay", "run")
    )
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    tmp_path.joinpath("data", "f137.txt").write_text("9999 1")
    assert command("-m", "turgo", *replay, folder=tmp_path, **state) == "5000.0\n"
    assert command("-m", "turgo", *resume, folder=tmp_path, **state) == "f137.txt has 5000.0\n"


@on_each(sample="processes")
def test_heat_draws_the_same_map_on_every_executor(
    command: Command, heat_on_local: str, arguments: list[str], variables: dict[str, str]
) -> None:
    """Arrays and a map whose width depends on the data come out the same."""
    assert drawn(command, arguments, **variables) == heat_on_local


@pytest.fixture(scope="module")
def heat_on_local(command: Command) -> str:
    """The map as the local executor draws it."""
    return drawn(command, ["--executor", "local"])


def drawn(command: Command, arguments: list[str], **variables: str) -> str:
    pytest.importorskip("numpy")
    small = ["-p", "points=50000", "-p", "pixels=128", "-p", "most=4000"]
    printed = command("-m", "turgo", "run", str(EXAMPLES / "heat.py"), *small, *arguments, **variables)
    head, hottest, rest = printed.partition(" tiles; hottest is pixel ")
    assert int(head.split()[-1]) > 10
    return head + hottest + rest.splitlines()[0]


@pytest.mark.parametrize("profile", sorted(tomllib.loads((EXAMPLES / "turgo.toml").read_text())["executors"]))
def test_every_profile_of_the_examples_is_good(command: Command, profile: str) -> None:
    """The profile leads to an executor, and its options are options of it."""
    assert profile in command("-m", "turgo", "executors", "show", profile, folder=EXAMPLES)


EVERYWHERE = """
from turgo import flow, get_executor, task

FILE = {file!r}


@task
def double(x):
    return 2 * x


@flow
def doubles(n):
    return double.map(range(n))


@task
def on_a_worker(n):
    return doubles.run(n, executor=FILE).result


@task
def sent_to_a_worker(executor, n):
    return doubles.run(n, executor=executor).result


@task(executor=FILE)
def total(*lists):
    return sum(sum(each) for each in lists)


@flow
def everywhere(n: int = 3):
    return total(doubles(n), on_a_worker(n), sent_to_a_worker(get_executor(FILE, workers=2), n))
"""


@on_each(("processes", "dask"), sample="dask")
def test_a_class_in_a_file_is_an_executor_on_workers_too(
    command: Command, arguments: list[str], variables: dict[str, str], tmp_path: Path
) -> None:
    """Of a task, of a run that a task makes on a worker by the same path, and as an object that is sent to one."""
    file = f"{EXAMPLES}/my_executor.py:MyExecutor"
    (tmp_path / "flow.py").write_text(EVERYWHERE.format(file=file), encoding="utf-8")
    run = ["-m", "turgo", "run", "flow.py:everywhere", "-q"]
    assert command(*run, *arguments, folder=tmp_path, **variables) == "18\n"


class TestMyExecutor(ExecutorConformance):
    """The executor in one file keeps the contract."""

    executor = f"{EXAMPLES}/my_executor.py:MyExecutor"

"""The houses and the floors of the design, as assertions."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest
from tools.doors_contract import DoorsContract

# A resource tag is a word of the public contract (`dask-resource:GPU=1`), whichever executor serves it.
ALLOWED_WORDS = ("dask-resource",)
# Written in two halves, so that this file may be searched as well.
MACHINE_PATHS = (
    "/root" + "/",
    ".." + "/shared",
    "pypi" + ".org",
    "python" + "hosted",
)
TEXT = {".py", ".toml", ".md", ".txt", ".sh", ".yml", ".yaml", ".json", ""}
TREES = ("core", "plugins", "tests", "examples", "benchmarks", "faults", "docs", "tools", ".ci", ".github")
# What `work.py` may import late, for values that pickle refuses: each executor that pickles brings it along.
ON_EVERY_WORKER = {"cloudpickle"}


def sources(folder: Path) -> Iterator[Path]:
    """The Python files below `folder`."""
    return folder.rglob("*.py")


def imported(tree: ast.AST) -> Iterator[str]:
    """The absolute names of the modules that a syntax tree imports, wherever in it the import stands."""
    for node in ast.walk(tree):
        yield from imported_by(node)


def imported_by(node: ast.AST) -> Iterator[str]:
    """The names that this one node imports, if it is an import."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module:
        yield node.module


def docstrings(tree: ast.AST) -> set[int]:
    """The identities of the constants that are docstrings."""
    found = set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            found.add(id(body[0].value))
    return found


def spoken(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every name and string constant of the code, docstrings excepted."""
    aside = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in aside:
            yield node.lineno, node.value
        elif isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr


def texts(root: Path) -> Iterator[Path]:
    """The project's own text files: those at the root and those of its trees, caches excepted."""
    hidden = {"__pycache__", "build", "dist"}
    yield from (path for path in root.iterdir() if path.is_file() and path.suffix in TEXT)
    for tree in TREES:
        for path in (root / tree).rglob("*"):
            own = not any(part in hidden or part.endswith("_cache") for part in path.parts)
            if path.is_file() and path.suffix in TEXT and own:
                yield path


def test_every_contract_of_import_linter_holds(root: Path) -> None:
    """A module imports only from floors below its own; core, plugins and neighbours keep apart."""
    command = [
        sys.executable,
        "-c",
        "from importlinter.cli import lint_imports_command as run; run()",
        "--no-cache",
    ]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_runs_on_the_worker_needs_the_standard_library_alone(root: Path) -> None:
    """`worker/execute.py`, and what it imports of core, can go to a worker without turgo."""
    waiting, seen, packages, at_import = ["turgo.worker.execute"], set(), set(), set()
    while waiting:
        module = waiting.pop()
        seen.add(module)
        path = root / "core/src" / f"{module.replace('.', '/')}.py"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        at_import |= {name.partition(".")[0] for node in tree.body for name in imported_by(node)}
        for name in imported(tree):
            if name.startswith("turgo"):
                waiting += {name} - seen
            else:
                packages.add(name.partition(".")[0])
    assert at_import <= sys.stdlib_module_names | {"turgo"}, seen
    assert packages <= sys.stdlib_module_names | ON_EVERY_WORKER, seen


def test_core_names_no_dask(root: Path) -> None:
    """No code of core speaks of dask; docstrings may, and so may the catalogue, which is data."""
    found = []
    for path in sources(root / "core/src"):
        for line, text in spoken(ast.parse(path.read_text(encoding="utf-8"))):
            for word in ALLOWED_WORDS:
                text = text.replace(word, "")
            if "dask" in text.lower():
                found.append(f"{path.relative_to(root)}:{line}: {text!r}")
    assert not found, "\n".join(found)


@pytest.mark.parametrize("plugin", ["local", "local_dask", "dask"])
def test_a_plugin_enters_core_by_its_public_doors(plugin: str, root: Path, public_doors: set[str]) -> None:
    """A plugin imports the public modules of core and nothing else of it, wherever the import stands."""
    for path in sources(root / "plugins" / plugin / "src"):
        names = imported(ast.parse(path.read_text(encoding="utf-8")))
        inside = {name for name in names if name == "turgo" or name.startswith("turgo.")}
        assert inside <= public_doors, path


def test_an_import_that_goes_through_no_door_breaks_the_contract() -> None:
    """The contract of import-linter finds a plugin's import of a private module, and a door that does not exist."""
    graph = grimp.ImportGraph()
    for module in ("core", "core.door", "core.private", "plugin", "plugin.heavy"):
        graph.add_module(module)
    graph.add_import(importer="plugin.heavy", imported="core.private")
    graph.add_import(importer="plugin.heavy", imported="core.door")
    options = {"package": "core", "importers": ["plugin"], "doors": ["core.door", "core.gone"]}
    contract = DoorsContract(name="doors", session_options={}, contract_options=options)
    wrong = contract.check(graph, verbose=False).metadata["wrong"]
    assert [line.split(",")[0] for line in wrong] == [
        "plugin.heavy imports core.private",
        "there is no module core.gone",
    ]


def test_the_guide_names_every_door(root: Path, public_doors: set[str]) -> None:
    """What docs/write-an-executor.md says that a plugin may import is the list that the contract has."""
    text = (root / "docs/write-an-executor.md").read_text(encoding="utf-8")
    found = re.search(r"A plugin imports `turgo` and its modules(.*?);", text, re.DOTALL)
    assert found is not None
    named = {f"turgo.{name}" for name in re.findall(r"`([a-z][a-z_.]*)`", found[1])}
    assert named | {"turgo"} == public_doors


@pytest.mark.parametrize("plugin", ["local", "local_dask", "dask"])
def test_a_plugin_could_move_out(plugin: str, root: Path) -> None:
    """Nothing in a plugin's folder is a path to a neighbour: its own folder is all that its files name."""
    house = root / "plugins" / plugin
    for path in house.rglob("*"):
        if path.is_file() and path.suffix in {".toml", ".py"} and "__pycache__" not in path.parts:
            text = path.read_text(encoding="utf-8")
            assert "../" not in text and "plugins/" not in text and "core/" not in text, path


def test_no_path_of_somebody_s_machine(root: Path) -> None:
    """The project stands alone: no file of it names a folder outside it."""
    found = [
        f"{path.relative_to(root)}: {word}"
        for path in texts(root)
        for word in MACHINE_PATHS
        if word in path.read_text(encoding="utf-8", errors="replace")
    ]
    assert not found, "\n".join(found)

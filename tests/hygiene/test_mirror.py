"""The tests mirror the source: who looks for the tests of a module knows their path.

core/src/turgo/a/b.py                       tests/core/a/test_b.py
plugins/dask/src/turgo_dask/a/b.py          plugins/dask/tests/a/test_b.py
"""

from collections.abc import Iterator
from pathlib import Path

HOUSES = {
    "core/src/turgo": "tests/core",
    "plugins/local/src/turgo_local": "plugins/local/tests",
    "plugins/local_dask/src/turgo_local_dask": "plugins/local_dask/tests",
    "plugins/dask/src/turgo_dask": "plugins/dask/tests",
}
FACES = {"__init__.py", "__main__.py", "_version.py"}
WITHOUT_TESTS_OF_THEIR_OWN = {
    "core/src/turgo/testing/groups/": "checks, each run by test_conformance against an executor that breaks its rule",
    "core/src/turgo/testing/checks.py": "what the checks are made with: test_conformance sees what they say",
    "core/src/turgo/testing/subject.py": "the executor under test: test_conformance starts, shares and closes it",
    "core/src/turgo/testing/calls.py": "functions that the checks submit, and nothing else",
    "core/src/turgo/testing/failing_calls.py": "functions that the checks submit, and nothing else",
    "core/src/turgo/testing/suite.py": "what pytest collects: test_plugin runs it",
    "core/src/turgo/engine/transport/functions.py": "test_shipment ships them between processes",
    "core/src/turgo/engine/transport/report.py": "test_shipment opens what comes back",
    "core/src/turgo/testing/certification/session.py": "hooks of a run of pytest: test_plugin makes such runs",
}
"""Modules, and folders of modules, that other tests cover; with the reason. At most twelve."""


def modules(root: Path) -> Iterator[tuple[str, str]]:
    """Each module that holds code, and the path that its tests have."""
    for source, tests in HOUSES.items():
        for path in sorted((root / source).rglob("*.py")):
            if path.name not in FACES:
                within = path.relative_to(root / source)
                mirrored = Path(tests) / within.parent / f"test_{within.name}"
                yield path.relative_to(root).as_posix(), mirrored.as_posix()


def excused(module: str) -> bool:
    """Whether the module, or a folder above it, is in the list."""
    return any(module == entry or module.startswith(entry) for entry in WITHOUT_TESTS_OF_THEIR_OWN)


def test_every_module_has_its_test_file(root: Path) -> None:
    """A module has a test file at the mirrored path, or stands in the short list with a reason."""
    missing = [
        f"{module}: {tests}"
        for module, tests in modules(root)
        if not excused(module) and not (root / tests).is_file()
    ]
    assert not missing, "\n".join(missing)


def test_the_list_is_short_and_true(root: Path) -> None:
    """Each entry names what is there, gives a reason, and has no test file of its own at the mirrored path."""
    tests_of = dict(modules(root))
    assert len(WITHOUT_TESTS_OF_THEIR_OWN) <= 12
    for entry, reason in WITHOUT_TESTS_OF_THEIR_OWN.items():
        assert (root / entry).exists() and reason
        assert entry.endswith("/") or not (root / tests_of[entry]).exists(), entry

"""What holds for all inputs: so much memory and no more, and a table of how many there were."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from turgo.registry.source_files import load_source

inputs = load_source(Path(__file__).with_name("inputs.py"))

MEMORY_BYTES = 4 << 30
"""What an input may make this process take, beyond what it has: some bytes are a request for more than there is."""


@pytest.fixture(scope="module", autouse=True)
def bounded_memory() -> Iterator[None]:
    """Asking for too much memory is a MemoryError at once, and no long wait."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY_BYTES, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project's folder, with a module that must not be imported: it is found by its file and by its name."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "canary.py").write_text("raise SystemExit('it ran')\n", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        yield folder


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many inputs each test had, where many were asked for."""
    if inputs.SHORT or not inputs.counts:
        return
    terminalreporter.section("inputs")
    for name, count in sorted(inputs.counts.items()):
        terminalreporter.write_line(f"{count:>9,}  {name}")
    terminalreporter.write_line(f"{inputs.counts.total():>9,}  in all")

"""Files and variables that are no settings, or nearly so: refused with one sentence, and no code of theirs runs."""

from __future__ import annotations

import sys
from pathlib import Path

from click.testing import CliRunner
from hypothesis import strategies as st

from turgo.cli.root import turgo
from turgo.config.load import load_config
from turgo.errors import ConfigError
from turgo.journal.shelf import place_in
from turgo.registry.resolve import Registry
from turgo.registry.source_files import load_source
from turgo.stores.places import folder_of

inputs = load_source(Path(__file__).with_name("inputs.py"))
fuzzed, refused_or_taken = inputs.fuzzed, inputs.refused_or_taken

FILES = (
    'executor = "hpc"\n[executors.hpc]\nuse = "dask"\naddress = "tcp://10.0.0.1:8786"\nkwargs = { a.b = 8 }\n',
    '[executors.here]\nuse = "./canary.py:Canary"\n[executors."in a module"]\nuse = "canary:Canary"\n',
    '[limits]\ndb = 4\n"dask-resource:GPU=1" = 2\n[progress]\nenabled = true\n',
    '[cache]\nurl = "cache"\nmax_bytes = 5_000\n[journal]\nvalues = "values"\nfolder = "runs"\nmax_age_days = 3\n',
    '[executors.a]\nuse = "b"\n[executors.b]\nuse = "c"\ntoken = { env = "HOME" }\n[executors.c]\nuse = "a"\n',
    "debug = true\nmax_map_width = 10\n[executors.local]\nlast = 1979-05-27T07:32:00Z\nnumbers = [[1], [2.5, inf]]\n",
)

PIECES = (
    '"',
    "'",
    '"""',
    "[",
    "]",
    "[[",
    "{",
    "}",
    "=",
    ".",
    ",",
    "#",
    "\n",
    "\\",
    "\\u0000",
    "\\ud800",
    "\0",
    "\ufeff",
    "executor",
    "executors",
    "use",
    "limits",
    "cache",
    "url",
    "journal",
    "values",
    "certify",
    "debug",
    "tool.turgo",
    "true",
    "1e999",
    "nan",
    "-0",
    "0x" + "f" * 5000,
    "9" * 5000,
    "1979-13-45",
    "25:61",
    "1_000",
    "[" * 3000,
    '{ env = "NO_SUCH" }',
    '{ file = "/" }',
    '"~nobody-here/x"',
    '"file://["',
    '"memory://x"',
    '"../../etc/passwd"',
    "canary:Canary",
    "./canary.py:Canary",
    "a" * 300,
    "é",
    "\x1b[31m",
)

PARTS = (
    "EXECUTOR",
    "EXECUTORS",
    "DEBUG",
    "CACHE",
    "URL",
    "JOURNAL",
    "VALUES",
    "LIMITS",
    "CONFIG",
    "PROGRESS",
    "HPC",
    "HOST",
    "PORT",
    "SERVICE",
    "ADDRESS",
    "use",
    "__",
    "_",
    ".",
    "a.b",
    "é",
    "MAX_BYTES",
    "OPTION",
)
NAMES = st.lists(st.sampled_from(("", "x" * 300, *PARTS)), max_size=6).map(
    lambda parts: "TURGO_" + "__".join(parts)
)

TEXTS = st.one_of(
    st.sampled_from(PIECES),
    st.sampled_from(("hpc", "true", "4", "canary:Canary", "[1, 2", "{a = 1}", "tcp://x:1", "none", " ")),
    st.text(st.characters(exclude_characters="\0", codec=None), max_size=30),
)


def used(folder: Path, variables: dict[str, str]) -> None:
    """Ask for all that settings are asked for: every executor, the places of the cache and of values."""
    config = load_config(folder, {"XDG_CONFIG_HOME": str(folder / "none"), "HOME": str(folder), **variables})
    registry = Registry(config, path=[])
    asked = [(config.executor.value, config.executor.origin)]
    asked += [(profile.name, profile.origin) for profile in config.profiles.values()]
    for name, origin in asked:
        with refused_or_taken():
            registry.resolve(name, origin=origin)
    with refused_or_taken():
        place_in(config)
    with refused_or_taken():
        folder_of(str(config.cache_url.value), config.cache_url.origin.folder)


@fuzzed(inputs.mutated_text(FILES, PIECES), st.sampled_from(("turgo.toml", "pyproject.toml")))
def test_a_file_of_settings_is_taken_or_refused_with_one_sentence(folder: Path, text: str, name: str) -> None:
    """Others may have written it, so that none of the classes that it names is imported."""
    path = folder / name
    written = (
        text if name == "turgo.toml" else text.replace("[", "[tool.turgo.").replace("[tool.turgo.[", "[[")
    )
    path.write_bytes(written.encode("utf-8", "surrogatepass"))
    path.chmod(0o666)
    try:
        with refused_or_taken():
            used(folder, {})
    finally:
        path.unlink()
    assert "canary" not in sys.modules


@fuzzed(inputs.mutated([text.encode() for text in FILES]))
def test_so_is_one_of_any_bytes(folder: Path, data: bytes) -> None:
    """Cut, doubled, in no encoding."""
    (folder / "turgo.toml").write_bytes(data)
    (folder / "turgo.toml").chmod(0o666)
    with refused_or_taken(kind=ConfigError):
        used(folder, {})
    assert "canary" not in sys.modules


@fuzzed(st.dictionaries(NAMES, TEXTS, max_size=4))
def test_variables_are_taken_or_refused_with_one_sentence(folder: Path, variables: dict[str, str]) -> None:
    """Whatever their names and texts; what they name runs, as the user has set them."""
    (folder / "turgo.toml").unlink(missing_ok=True)
    with refused_or_taken():
        used(folder, variables)


@fuzzed(inputs.mutated_text(FILES, PIECES), slow=True)
def test_what_is_in_force_can_always_be_shown(folder: Path, text: str) -> None:
    """By `turgo config`, as text and as JSON."""
    (folder / "turgo.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    (folder / "turgo.toml").chmod(0o644)
    for form in ([], ["--json"]):
        result = CliRunner().invoke(turgo, ["config", *form])
        if result.exit_code != 0:
            assert isinstance(result.exception, ConfigError), result.exception
    assert "canary" not in sys.modules

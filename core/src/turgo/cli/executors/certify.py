"""`turgo executors certify NAME` runs the conformance suite and records what it proves.

The suite runs in a pytest of its own: without the plugins, settings and conftest files of the project around it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from turgo.cli import FAILED, SUCCESS
from turgo.cli.completion.values import executor_names, executor_options
from turgo.cli.parameters import key_values
from turgo.cli.terminal.output import show
from turgo.errors import ApiVersionError, TurgoError, UsageError
from turgo.install import pip_install

STDERR = 2
"""Where the progress of the suite goes."""

LOOK_SECONDS = 0.5
"""Seconds between two looks whether the certificate is there."""

END_SECONDS = 6.0
"""What the suite has to clean up at its end, after Ctrl-C, and then again after SIGTERM."""


@click.command("certify")
@click.argument("name", shell_complete=executor_names)
@key_values("-o", "options", "An option of the executor, as often as you like.", executor_options)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the certificate goes; to standard output if not given.",
)
@click.option(
    "--load", metavar="CALLS", type=click.IntRange(1), help="How many calls the checks of load make."
)
@click.option(
    "--patience",
    metavar="SECONDS",
    type=click.FloatRange(0, min_open=True),
    help="How long a check waits at most.",
)
@click.option(
    "--lasting-thread",
    "lasting_threads",
    metavar="NAME",
    multiple=True,
    help="The beginning of the names of threads that a library keeps for good, as often as you like.",
)
@click.option("--shared-folder", metavar="FOLDER", help="A folder that the workers see too.")
@key_values(
    "--failing-option", "failing_options", "An option with which start() has to fail, as often as you like."
)
@click.option(
    "--again",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False),
    help="Run only what did not pass by this certificate; the rest is taken over from it.",
)
def certify_executor(name: str, options: dict[str, str], output: Path | None, **asked: Any) -> int:
    """Prove that an executor keeps the contract, and write a certificate of it, as JSON.

    NAME is what `--executor` takes. Runs the conformance suite (needs `pip install 'turgo[testing]'`), whose
    progress goes to standard error. The exit code is 0 if the contract is kept and each capability that is declared
    is proven, 1 if not, 2 for a mistake in NAME or an option. But for such a mistake there is always a certificate.

    \b
      turgo executors certify turbine
      turgo executors certify dask -o cluster_kwargs.n_workers=2
      turgo executors certify ./my_executor.py:MyExecutor
      turgo executors certify turbine --output src/turgo_turbine/certificate.json
      turgo executors certify slurm --load 100 --patience 600 --shared-folder /home/me/tmp

    A project says once what is to be asked: `load`, `patience`, `lasting_threads`, `shared_folder` and
    `failing_options` stand in [tool.turgo.certify] of pyproject.toml too, and the certificate says what was asked.
    A plugin may ship its certificate as `certificate.json` beside its plugin module (the last line);
    `turgo executors list` then shows what is proven beside what is declared.
    """
    _check(name, options, output)
    certificate = run_suite(name, options, asked)
    text = json.dumps(certificate, indent=2, ensure_ascii=False)
    if output is None:
        show(text)
    else:
        _write(output, f"{text}\n")
        show(f"the certificate is in {output}")
    return SUCCESS if certificate["proven"] else FAILED


def run_suite(name: str, options: Mapping[str, str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """The certificate, as it was read from its file. Raises TurgoError if the suite does not run to its end.

    asked: what the command line asks, by the names of the command's parameters.
    """
    with tempfile.TemporaryDirectory(prefix="turgo-") as folder:
        file = Path(folder, "certificate.json")
        command = [sys.executable, "-P", "-m", "pytest", *_apart(folder), "--turgo-executor", name]
        command += [f"@{_option_file(options, Path(folder))}"]
        command += [*_asked(asked), "--turgo-certificate", str(file)]
        code = _run(command, file)
        try:
            certificate: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise TurgoError(
                f"the conformance suite did not run to its end: pytest ended with {code}"
            ) from None
    return certificate


def _option_file(options: Mapping[str, str], folder: Path) -> Path:
    """A file of arguments for pytest, as everybody may read those of a process. Each is a line.

    Raises UsageError for a value of several.
    """
    several = [key for key, value in options.items() if len(value.splitlines()) > 1]
    if several:
        raise UsageError(
            f"-o {several[0]}: a value of several lines cannot be given here; put it into a profile"
        )
    file = folder / "options.txt"
    lines = [f"--turgo-option\n{key}={value}\n" for key, value in options.items()]
    file.write_text("".join(lines), encoding=sys.getfilesystemencoding(), errors="surrogateescape")
    return file


def _run(command: list[str], certificate: Path) -> int:
    """The exit code of the command, whose output goes to standard error; it does not outlive this call.

    Once the certificate is written it has a few seconds to end: threads of an executor that was never left hold it up.
    """
    process = subprocess.Popen(command, stdout=STDERR, env=_environment())
    try:
        while process.poll() is None and not certificate.exists():
            with suppress(subprocess.TimeoutExpired):
                process.wait(LOOK_SECONDS)
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
        if process.poll() is None:
            _end(process)
        return process.wait()
    except BaseException:
        _end(process)
        raise


def _end(process: subprocess.Popen[bytes]) -> None:
    """A terminal sends Ctrl-C to both, so it gets the time to clean up by itself first."""
    for stop in (process.poll, process.terminate, process.kill):
        stop()
        with suppress(subprocess.TimeoutExpired):
            process.wait(END_SECONDS)
            return


def _asked(asked: Mapping[str, Any]) -> list[str]:
    """The same demands for pytest."""
    command = []
    for name in ("load", "patience", "shared_folder", "again"):
        if asked.get(name) is not None:
            command += [f"--turgo-{name.replace('_', '-')}", str(asked[name])]
    for name in asked.get("lasting_threads", ()):
        command += ["--turgo-lasting-thread", name]
    for key, value in asked.get("failing_options", {}).items():
        command += ["--turgo-failing-option", f"{key}={value}"]
    return command


def _apart(folder: str) -> list[str]:
    """What keeps pytest to the suite alone: no settings, no conftest files, no cache of the project around.

    `-v` shows the name of each check before it runs.
    """
    alone = ["--noconftest", "--rootdir", folder, "-c", os.devnull, "-p", "no:cacheprovider"]
    return [*alone, "-p", "turgo", "-v", "--tb=short", "--disable-warnings"]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _check(name: str, options: Mapping[str, str], output: Path | None) -> None:
    """Find mistakes before anything runs. Raises UsageError."""
    if importlib.util.find_spec("pytest") is None:
        raise UsageError(f"the conformance suite needs pytest: {pip_install('turgo[testing]')}")
    try:
        there = output is None or output.absolute().parent.is_dir()
    except OSError as error:
        raise UsageError(f"the certificate cannot be written: {error}") from error
    if output is not None and not there:
        raise UsageError(f"there is no folder {output.absolute().parent} for the certificate")
    from turgo.registry.precedence import choose_executor

    with suppress(ApiVersionError):  # a fault of the executor, and no mistake: the certificate says it
        choose_executor(option=name, option_options=options)


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise TurgoError(f"the certificate cannot be written: {error}") from error

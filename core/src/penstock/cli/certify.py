"""`penstock executors certify NAME`: run the conformance suite and write down what it proves.

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

from penstock.cli import FAILED, SUCCESS
from penstock.cli.output import show
from penstock.cli.parameters import key_values
from penstock.errors import PenstockError, UsageError

STDERR = 2  # where the progress of the suite goes
END_SECONDS = 6.0  # that it has to clean up after Ctrl-C, and then again when it is told to end


@click.command("certify")
@click.argument("name")
@key_values("-o", "options", "An option of the executor, as often as you like.")
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where the certificate goes; to standard output if not given.",
)
def certify_executor(name: str, options: dict[str, str], output: Path | None) -> int:
    """Prove that an executor keeps the contract, and write a certificate of it, as JSON.

    NAME is what `--executor` takes. Runs the conformance suite (needs `pip install 'penstock[testing]'`), whose
    progress goes to standard error. The exit code is 0 if the contract is kept and each capability that is declared
    is proven, 1 if not, 2 for a mistake in NAME or an option.

    \b
      penstock executors certify turbine
      penstock executors certify dask -o cluster_kwargs.n_workers=2
      penstock executors certify ./my_executor.py:MyExecutor
      penstock executors certify turbine --output src/penstock_turbine/certificate.json

    A plugin may ship its certificate as `certificate.json` beside its plugin module (the last line);
    `penstock executors list` then shows what is proven beside what is declared.
    """
    _check(name, options, output)
    certificate = run_suite(name, options)
    text = json.dumps(certificate, indent=2, ensure_ascii=False)
    if output is None:
        show(text)
    else:
        _write(output, f"{text}\n")
        show(f"the certificate is in {output}")
    return SUCCESS if certificate["proven"] else FAILED


def run_suite(name: str, options: Mapping[str, str]) -> dict[str, Any]:
    """The certificate, as it was read from its file. Raises PenstockError if the suite does not run to its end."""
    with tempfile.TemporaryDirectory(prefix="penstock-") as folder:
        file = Path(folder, "certificate.json")
        command = [sys.executable, "-m", "pytest", *_apart(folder), "--penstock-executor", name]
        for key, value in options.items():
            command += ["--penstock-option", f"{key}={value}"]
        command += ["--penstock-certificate", str(file)]
        code = _run(command)
        try:
            certificate: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise PenstockError(
                f"the conformance suite did not run to its end: pytest ended with {code}"
            ) from None
    return certificate


def _run(command: list[str]) -> int:
    """The exit code of the command, whose output goes to standard error; it does not outlive this call."""
    process = subprocess.Popen(command, stdout=STDERR, env=_environment())
    try:
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


def _apart(folder: str) -> list[str]:
    """What keeps pytest to the suite alone: no settings, no conftest files, no cache of the project around."""
    alone = ["--noconftest", "--rootdir", folder, "-c", os.devnull, "-p", "no:cacheprovider"]
    return [*alone, "-p", "penstock", "-q", "--tb=short", "--disable-warnings"]


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def _check(name: str, options: Mapping[str, str], output: Path | None) -> None:
    """Find mistakes before anything runs. Raises a UsageError."""
    if importlib.util.find_spec("pytest") is None:
        raise UsageError("the conformance suite needs pytest: pip install 'penstock[testing]'")
    if output is not None and not output.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {output.absolute().parent} for the certificate")
    from penstock.registry import choose_executor

    choose_executor(option=name, option_options=options)


def _write(output: Path, text: str) -> None:
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise PenstockError(f"the certificate cannot be written: {error}") from error

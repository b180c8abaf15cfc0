"""Real clusters, each up for as long as a test wants it, and a flow that a profile of `turgo.toml` runs on them.

Whatever is started here ends with its standard input (see the scripts beside this file), so that it is gone even
after these tests are killed. All of it listens on loopback or in a network of its own.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import distributed
import psutil
import pytest

HERE = Path(__file__).parent
PROFILES: dict[str, dict[str, Any]] = tomllib.loads((HERE / "turgo.toml").read_text("utf-8"))["executors"]
MARK = "STARTED_BY_A_TEST"  # a variable that is handed down to all that a test starts, by which it is found again
PATIENCE = 60.0  # seconds that what should end or come has, on a machine that has much to do
PACKAGES = {
    "sshd": "openssh-server",
    "slurmctld": "slurm-wlm",
    "slurmd": "slurm-wlm",
    "munged": "munge",
    "sbatch": "slurm-client",
    "ip": "iproute2",
}

Facts = dict[str, str]


def need(*names: str) -> None:
    """Skip the test if a command or a package that it needs is not there; where CI is set, fail."""
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/sbin"
    commands = [name for name in names if name in PACKAGES and not shutil.which(name, path=path)]
    modules = [name for name in names if name not in PACKAGES and not importlib.util.find_spec(name)]
    missing = [f"{name} (Debian: {PACKAGES[name]})" for name in commands] + modules
    if os.geteuid() != 0 and set(names) & set(PACKAGES):
        missing.append("to be root")
    if missing:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say(f"it needs {', '.join(missing)}: `make test-clusters` installs what these tests need")


def until(happened: Callable[[], Any], what: str, patience: float = PATIENCE) -> Any:
    """Wait until it has happened; gives what it was. AssertionError after `patience` seconds."""
    end = time.monotonic() + patience
    while not (came := happened()):
        assert time.monotonic() < end, f"not within {patience:g} s: {what}"
        time.sleep(0.05)
    return came


def free_port() -> int:
    """A port of loopback that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def held(*command: str, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A process that ends when its standard input does, at the latest with this one."""
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **variables},
    ) as process:
        yield process
        process.communicate(timeout=PATIENCE)


@contextmanager
def part(script: str) -> Iterator[Facts]:
    """What a script beside this file sets up, by the facts that it says once it is ready."""
    ports = {"PORT": str(free_port()), "PORT2": str(free_port())}
    with held("sh", str(HERE / script), **ports) as process:
        said: list[str] = []
        assert process.stdout is not None
        for line in process.stdout:
            if line.strip() == "ready":
                break
            said.append(line.strip())
        else:
            raise AssertionError(f"{script} did not come up: {said}")
        yield dict(line.split("=", 1) for line in said if "=" in line)


class Cluster:
    """What a test starts from the shell, and where the profile for its flow is written."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder, self.stack = folder, stack
        self.variables: dict[str, str] = {}
        self.before: tuple[str, ...] = ()

    def python(self, *arguments: str, before: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Run Python until the test is over, with what it says in a file."""
        log = (self.folder / f"{len(list(self.folder.iterdir()))}.log").open("w")
        self.stack.callback(log.close)
        process = subprocess.Popen(
            ["sh", str(HERE / "held.sh"), *before, sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
            env={**os.environ, **self.variables, MARK: str(self.folder)},
            cwd=self.folder,
        )
        self.stack.callback(process.wait, PATIENCE)
        self.stack.callback(process.stdin.close)
        return process

    def scheduler(self, *options: str, host: str = "127.0.0.1", before: tuple[str, ...] = ()) -> str:
        """`dask scheduler`, from the shell; gives its address."""
        file = self.folder / "scheduler.json"
        where = ("--host", host, "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        self.python("-m", "dask", "scheduler", *where, *options, before=before)
        address = until(lambda: _address(file), "the scheduler writes its file")
        return str(address)

    def worker(self, *options: str, host: str = "127.0.0.1", before: tuple[str, ...] = ()) -> None:
        """`dask worker` of one thread, from the shell."""
        where = ("--scheduler-file", str(self.folder / "scheduler.json"), "--host", host)
        most = ("--nthreads", "1", "--no-dashboard", "--death-timeout", "60")
        self.python("-m", "dask", "worker", *where, *most, *options, before=before)

    def configure(self, name: str, changes: Mapping[str, Any] | None = None) -> None:
        """Write `turgo.toml` with the profile of that name, changed as this machine needs it; None leaves out."""
        changed = _merged(PROFILES[name], changes or {})
        lines = [f"{key} = {_toml(value)}" for key, value in changed.items()]
        (self.folder / "turgo.toml").write_text("\n".join(["[executors.cluster]", *lines, ""]), "utf-8")

    def driver(self, program: str, *arguments: str) -> subprocess.Popen[str]:
        """Start a program that stands beside this file, in the folder of `turgo.toml`."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TURGO_")}
        return subprocess.Popen(
            [*self.before, sys.executable, str(HERE / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **kept,
                "XDG_CONFIG_HOME": str(self.folder),
                MARK: f"{self.folder}/driver",
                **self.variables,
            },
            cwd=self.folder,
        )

    def run(self, program: str, *arguments: str, seconds: float = 90) -> tuple[int, str, str]:
        """Run it to its end; gives its exit code and what it said. Nothing that it started is left."""
        with self.driver(program, *arguments) as process:
            try:
                out, err = process.communicate(timeout=seconds)
            finally:
                process.kill()
        until(lambda: not marked(f"{self.folder}/driver"), "what the driver started is gone")
        return process.returncode, out, err

    def check(self, *arguments: str, seconds: float) -> str:
        """Run the conformance suite by the profile, from this folder. Gives what it said; no rule is broken."""
        command = [sys.executable, "-m", "pytest", "--turgo-executor", "cluster", "--turgo-patience", "60"]
        command += ["--turgo-load", "1000"]  # as is asked of any cluster of others
        done = subprocess.run(
            [*command, "-p", "no:cacheprovider", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            env={**os.environ, "XDG_CONFIG_HOME": str(self.folder), **self.variables, "PYTEST_ADDOPTS": ""},
            cwd=self.folder,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
        return done.stdout

    def everything(self) -> dict[str, Any]:
        """Run the flow of everything by the profile; what came of it is right. Gives the facts."""
        code, out, err = self.run("everything.py", "cluster")
        assert code == 0, err
        facts: dict[str, Any] = json.loads(out.splitlines()[-1])
        total, large, speaker, tarried = facts["result"]
        assert (total, large, tarried) == (sum(n * n for n in range(50)), 4 << 20, [0, 1, 2, 3])
        assert facts["state"] == "Failed" and facts["error"] == "this one fails"
        states = {name: set(found) for name, found in facts["states"].items()}
        assert states.pop("fails") == {"Failed"} and states.pop("after_a_failure") == {"TriggerFailed"}
        assert all(found == {"Success"} for found in states.values()), states
        assert facts["logs"] == ["heard from afar"]
        facts["apart"] = speaker != facts["driver"]
        return facts


def _address(file: Path) -> str | None:
    try:
        address: str = json.loads(file.read_text("utf-8"))["address"]
    except (OSError, ValueError):
        return None
    return address


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    merged = {**below, **above}
    for key in below.keys() & above.keys():
        if isinstance(below[key], Mapping) and isinstance(above[key], Mapping):
            merged[key] = _merged(below[key], above[key])
    return {key: value for key, value in merged.items() if value is not None}


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value)


def marked(mark: str) -> list[psutil.Process]:
    """The processes that carry the mark of a folder, and live."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.Error, OSError):  # it has gone, or is not ours to look at
            continue
    return found


def over_ssh(ssh: dict[str, str], python: str) -> dict[str, Any]:
    """The keywords of an SSHCluster with two workers by the sshd of the test."""
    loopback = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    return {
        "hosts": ["127.0.0.1"] * 3,
        "connect_options": {
            "port": int(ssh["SSH_PORT"]),
            "username": "root",
            "client_keys": [f"{ssh['SSH_DIR']}/id_ed25519"],
            "known_hosts": f"{ssh['SSH_DIR']}/known_hosts",
        },
        "scheduler_options": {"port": 0, "idle_timeout": "1 hour", **loopback},
        "worker_options": {"nthreads": 1, "death_timeout": "1 minute", **loopback},
        "remote_python": python,
    }


def slurm_jobs(folder: Path) -> dict[str, Any]:
    """The keywords of a SLURMCluster whose jobs run on the Slurm of the test."""
    return {
        "queue": "debug",
        "cores": 1,
        "processes": 1,
        "memory": "1GB",
        "interface": None,
        "job_extra_directives": [],
        "local_directory": str(folder),
        "log_directory": str(folder / "jobs"),
        "scheduler_options": {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"},
        "worker_extra_args": ["--host", "127.0.0.1", "--no-dashboard"],
    }


def credentials(folder: Path) -> tuple[distributed.Security, dict[str, str]]:
    """Credentials of a certificate authority of their own, and the files that they are in."""
    security = distributed.Security.temporary()
    texts = {
        "tls_ca_file": security.tls_ca_file,
        "tls_client_cert": security.tls_client_cert,
        "tls_client_key": security.tls_client_key,
    }
    folder.mkdir()
    for name, text in texts.items():
        (folder / f"{name}.pem").write_text(text, "utf-8")
    return security, {name: str(folder / f"{name}.pem") for name in texts}


def tls_options(files: Mapping[str, str]) -> list[str]:
    """The options of `dask scheduler` and `dask worker` for these credentials."""
    return [
        *("--tls-ca-file", files["tls_ca_file"]),
        *("--tls-cert", files["tls_client_cert"]),
        *("--tls-key", files["tls_client_key"]),
    ]


@pytest.fixture
def tools() -> Any:
    """This module: what it offers besides fixtures."""
    return sys.modules[__name__]


@pytest.fixture(scope="module")
def slurm() -> Iterator[Facts]:
    """A real Slurm of one node: the variables that its commands need."""
    need("slurmctld", "slurmd", "munged", "sbatch", "dask_jobqueue")
    with part("slurm.sh") as facts:
        yield {**facts, "PATH": os.environ["PATH"]}


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A folder with what the test starts in it, all of which is gone afterwards, and none heard from outside."""
    with ExitStack() as stack:
        yield Cluster(tmp_path, stack)
    until(lambda: not marked(str(tmp_path)), "what the test started is gone")

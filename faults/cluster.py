"""`Cluster`: a scheduler and nannied workers that run already, as somebody starts them from the shell.

It serves one run after the other as long as it is as it was; after a fault that it does not recover from, another
one is started.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import distributed

from faults.network import FAR, NEAR, Network
from faults.processes import CLUSTER_MARK, kill, listening, marked, until, workers

NANNIES = 2
THREADS = 3
START_SECONDS = 120.0
END_SECONDS = 30.0
MEMORY = "500MB"
"""The limit of each worker; one that is idle takes a third of it."""

_PR_SET_PDEATHSIG = 1


class Cluster:
    """Started when it is made, gone after `close`. network: on whose two sides its workers are."""

    def __init__(self, folder: Path, network: Network | None = None) -> None:
        self.folder = folder
        self.network = network
        self.host = NEAR if network else "127.0.0.1"
        self.near = network.inside("near") if network else ()
        # Where setproctitle is installed, it would write the title of a worker over what the mark is read from.
        self.variables = {"SPT_NOENV": "1"}
        if network:
            self.variables |= {
                f"DASK_DISTRIBUTED__COMM__TIMEOUTS__{kind}": "12s" for kind in ("TCP", "CONNECT")
            }
        self.file = folder / "scheduler.json"
        folder.mkdir(parents=True)
        where = ["--scheduler-file", str(self.file), "--no-dashboard"]
        self.processes: list[subprocess.Popen[bytes]] = []
        self.scheduler = self._start(
            [*self.near, *_dask("scheduler"), "--host", self.host, "--port", "0", *where]
        )
        if not until(self._written, START_SECONDS):
            raise RuntimeError(f"no scheduler within {START_SECONDS} s: see {folder}")
        self.more_workers()
        if network:
            self.more_workers(prefix=network.inside("far"), host=FAR)
        if not until(self._ready, START_SECONDS):
            raise RuntimeError(f"no workers within {START_SECONDS} s: see {folder}")

    def _written(self) -> bool:
        """Whether the scheduler has written its file, all of it."""
        try:
            self.address = str(json.loads(self.file.read_text())["address"])
        except (OSError, ValueError):
            return False
        return True

    def more_workers(self, prefix: tuple[str, ...] | None = None, host: str | None = None) -> None:
        """A process with as many nannies as each has."""
        where = ["--scheduler-file", str(self.file), "--no-dashboard", "--host", host or self.host]
        size = ["--nworkers", str(NANNIES), "--nthreads", str(THREADS), "--memory-limit", MEMORY]
        command = [*(self.near if prefix is None else prefix), *_dask("worker"), *where, *size]
        self._start([*command, "--death-timeout", "60", "--local-directory", str(self.folder)])

    def _start(self, command: list[str]) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{len(self.processes)}.log").open("wb")
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=self.folder,
            env={**os.environ, **self.variables, CLUSTER_MARK: str(self.folder)},
            preexec_fn=_end_with_parent,
        )
        log.close()
        self.processes.append(process)
        return process

    def workers(self) -> list[int]:
        """The processes of its workers."""
        return workers(str(self.folder), CLUSTER_MARK)

    def whole(self) -> bool:
        """Whether all that was started is there, with as many workers as at the start, within some seconds."""
        if any(each.poll() is not None for each in self.processes):
            return False
        return until(self._ready, END_SECONDS)

    def _ready(self) -> bool:
        """Whether as many workers as were asked for are there, and the scheduler knows them: they listen by then."""
        wanted = NANNIES * (len(self.processes) - 1)
        if len(self.workers()) != wanted:
            return False
        if self.network is not None:  # nobody reaches it from here
            return True
        try:
            with distributed.Client(self.address, timeout="5s", set_as_default=False) as client:
                return len(client.scheduler_info(n_workers=-1)["workers"]) == wanted
        except OSError:
            return False

    def left(self) -> list[str]:
        """What a run has left there: tasks, clients, plugins, threads of ours; nothing if nobody answers."""
        if self.scheduler.poll() is not None or self.network is not None:
            return []

        def held(own: str, dask_scheduler: Any = None) -> list[str]:  # here, so that it is shipped by value
            clients = [each for each in dask_scheduler.clients if each not in (own, "fire-and-forget")]
            plugins = [each for each in dask_scheduler.plugins if "turgo" in str(each)]
            return [*map(str, list(dask_scheduler.tasks)[:3]), *clients, *plugins]

        def works(dask_worker: Any = None) -> list[str]:
            import threading

            threads = [each.name for each in threading.enumerate()]
            ours = [each for each in threads if "turgo" in each or each.endswith(("-call", "-pursuit"))]
            return [*ours, *(each for each in dask_worker.plugins if "turgo" in str(each))]

        try:
            with distributed.Client(self.address, timeout="5s", set_as_default=False) as client:
                left = list(client.run_on_scheduler(held, client.id))
                each_left = client.run(works, on_error="ignore").values()
                return left + [name for found in each_left for name in found]
        except OSError:
            return []

    def ports(self) -> dict[int, set[str]]:
        """What each of its processes listens to."""
        return {each.pid: listening(each.pid) for each in marked(str(self.folder), CLUSTER_MARK)}

    def close(self) -> None:
        """End all of it."""
        kill([each.pid for each in self.processes], signal.SIGTERM)
        until(lambda: not marked(str(self.folder), CLUSTER_MARK), 5.0)
        kill([each.pid for each in marked(str(self.folder), CLUSTER_MARK)])
        for process in self.processes:
            process.wait()
        if self.network:
            self.network.close()


def _dask(part: str) -> list[str]:
    return [sys.executable, "-m", "dask", part]


def _end_with_parent() -> None:
    """In the process that is started: it ends with the campaign, however that ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    os.setsid()

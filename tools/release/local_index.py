"""A package index on loopback that lives as long as it is used: what is uploaded to it can be installed from it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
START_SECONDS = 60.0
LOOK_SECONDS = 0.1


@contextmanager
def local_index(folder: Path) -> Iterator[str]:
    """The address of an index that keeps what is uploaded in a folder, which is empty, and knows no other index."""
    folder.mkdir()
    port = free_port()
    command = [sys.executable, "-m", "pypiserver", "run", "--interface", HOST, "--port", str(port)]
    command += ["--authenticate", ".", "--passwords", ".", "--disable-fallback", "--hash-algo", "sha256"]
    with subprocess.Popen([*command, str(folder)], stderr=subprocess.DEVNULL) as server:
        try:
            address = f"http://{HOST}:{port}/"
            wait_for(address, server)
            yield address
        finally:
            server.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port: int = free.getsockname()[1]
    return port


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    """Return once the server answers. Raises RuntimeError if it has ended, or takes too long."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=START_SECONDS).close()
        except OSError:  # nobody listens, or not for long
            time.sleep(LOOK_SECONDS)
        else:
            return
    raise RuntimeError(f"the index at {address} did not start")


def upload(files: Iterable[Path], address: str) -> None:
    """Upload as one does to the public index, by twine; the index asks for no password, and twine for any."""
    command = [sys.executable, "-m", "twine", "upload", "--non-interactive", "--disable-progress-bar"]
    nobody = {
        "TWINE_USERNAME": "nobody",
        "TWINE_PASSWORD": secrets.token_hex(),
        "TWINE_REPOSITORY_URL": address,
    }
    subprocess.run([*command, *map(str, files)], env={**os.environ, **nobody}, check=True)

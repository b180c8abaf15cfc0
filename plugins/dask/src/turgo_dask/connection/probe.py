"""Probes an address for a scheduler, a TLS scheduler, a dashboard or nothing.

A scheduler sends first, whoever connects to it. So the probe reads first, and asks only where nothing is sent.
A client of distributed would wait for ever for the first bytes of what is no scheduler.
"""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress

FIRST_WORD_SECONDS = 1.0
"""How long to wait for a scheduler's first bytes, and for the answer to a question."""

PORT_NUMBERS = 65_536

_QUESTION = b"GET /json/identity.json HTTP/1.0\r\n\r\n"  # a dashboard's answer has the scheduler's address


def probe(address: str) -> tuple[bool, str, bool]:
    """Whether a scheduler answers there, why not, and whether waiting may help."""
    found = _host_and_port(address)
    if found is None:
        return True, "", False
    protocol, host, port = found
    try:
        kind, hint = _kind_of(protocol, host, port)
    except socket.gaierror:
        return False, f"the name {host!r} is not known", True
    except UnicodeError:
        return False, f"{host!r} can be the name of no host", False
    except ConnectionRefusedError:
        return False, f"nothing listens on port {port} of {host}", True
    except OSError as error:
        return False, f"{host} does not answer: {error}", True
    if kind == protocol:
        return True, "", False
    if kind == "":
        return (
            False,
            "something accepts connections there, but it is no scheduler, or too busy to answer",
            True,
        )
    return False, _remedy(kind, hint, f"{host}:{port}"), False


def _remedy(kind: str, hint: str, place: str) -> str:
    """What is at the place instead of what was looked for, and what to write."""
    if kind == "tls":
        return f"the scheduler at {place} expects TLS: write tls://{place}, and give its files as security"
    if kind == "tcp":
        return f"the scheduler at {place} does not use TLS: write tcp://{place}"
    where = f"the scheduler behind it is at {hint}" if hint else "a scheduler's own port is 8786 by default"
    return f"{place} is the port of a dashboard (an HTTP server answers there); {where}"


def _host_and_port(address: str) -> tuple[str, str, int] | None:
    """Protocol, host and port; None for an address that only distributed understands."""
    protocol, _, rest = address.rpartition("://")
    host, _, port = rest.rpartition(":")
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < PORT_NUMBERS
    if protocol not in ("tcp", "tls", "") or not host or not is_port:
        return None
    return protocol or "tcp", host.strip("[]"), int(port)


def _kind_of(protocol: str, host: str, port: int) -> tuple[str, str]:
    """What answers: `tcp` or `tls` for a scheduler, `http`, or nothing that is known; and the scheduler's address."""
    if protocol == "tls" and _speaks_tls(host, port):
        return "tls", ""
    with socket.create_connection((host, port), FIRST_WORD_SECONDS) as connection:
        with _silence_ends(connection):
            if connection.recv(1):
                return "tcp", ""
        answer = b""
        with _silence_ends(connection):
            connection.sendall(_QUESTION)
            while part := connection.recv(1 << 16):
                answer += part
    if answer.startswith(b"HTTP/"):
        return "http", _address_in(answer)
    return ("tls" if _speaks_tls(host, port) else ""), ""


def _speaks_tls(host: str, port: int) -> bool:
    """Whether a handshake goes as far as credentials."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, port), FIRST_WORD_SECONDS) as connection, suppress(TimeoutError):
        try:
            context.wrap_socket(connection).close()
        except ssl.SSLError as error:
            return "ALERT" in (error.reason or "")
        except OSError:
            return False
        return True
    return False


@contextmanager
def _silence_ends(connection: socket.socket) -> Iterator[None]:
    """Silence, and a connection that breaks, end what is done in it."""
    connection.settimeout(FIRST_WORD_SECONDS)
    with suppress(OSError):
        yield


def _address_in(answer: bytes) -> str:
    """The scheduler's address in the answer of a dashboard; empty if there is none."""
    with suppress(ValueError, AttributeError):
        return str(json.loads(answer.partition(b"\r\n\r\n")[2]).get("address", ""))
    return ""

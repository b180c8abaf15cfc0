"""Signs what goes into a store that others may write to, and gives back only what this user has signed.

    signature (32): HMAC of name and content, by the user's own key │ content

The key lies in the user's state directory, for this user's eyes only, and is made when it is first needed.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from turgo.config.ownership import foreign, open_own
from turgo.errors import StoreError
from turgo.stores.store import Store, Usage

logger = logging.getLogger("turgo")

KEY_BYTES = 32
SIGNATURE_BYTES = 32
UNSIGNED = bytes(SIGNATURE_BYTES)
"""In the place of a signature, where everything is trusted."""

KEY_FILE = "signing.key"


class SignedStore:
    """A store whose contents are signed. key: of this user; None if whatever lies there is trusted.

    trust: what the user may set to trust it, for the message about what somebody else has signed, said once.
    """

    def __init__(self, store: Store, key: bytes | None, *, trust: str) -> None:
        self.store = store
        self.where = store.where
        self.max_bytes = store.max_bytes
        self._key = key
        self._trust = trust
        self._told = False

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Those of the contents that are there, and that this user has signed."""
        found = {}
        for name, content in self.store.get(keys).items():
            signature, rest = content[:SIGNATURE_BYTES], content[SIGNATURE_BYTES:]
            if self._key is None or hmac.compare_digest(signature, self._signature(name, rest)):
                found[name] = rest
            elif not self._told:
                self._told = True
                logger.warning(
                    "values at %s that the key of this user has not signed are made anew; whoever wrote them could run "
                    "code here. If you trust all who can write there: %s",
                    self.where,
                    self._trust,
                )
        return found

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Keep contents with their signatures."""
        self.store.put({name: self._signature(name, entry) + entry for name, entry in entries.items()})

    def delete(self, keys: Iterable[str]) -> None:
        """Drop contents, whoever signed them."""
        self.store.delete(keys)

    def usage(self) -> Usage:
        """How much there is, whoever signed it."""
        return self.store.usage()

    def clear(self) -> int:
        """Drop all contents; how many they were."""
        return self.store.clear()

    def _signature(self, name: str, content: bytes) -> bytes:
        if self._key is None:
            return UNSIGNED
        made = hmac.new(self._key, name.encode() + b"\0", "sha256")
        made.update(content)
        return made.digest()


def own_key(folder: Path) -> bytes:
    """The key of this user, in a folder of the user's; it is made if there is none.

    Raises StoreError if somebody else may know it or have written it, OSError if it cannot be made.
    """
    path = folder / KEY_FILE
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if fault := foreign("the folder of the key", folder):
        raise StoreError(fault)
    if not path.is_symlink() and not path.exists():
        _make(path)
    try:
        with open(open_own(path), "rb") as file:
            key, mode = file.read(), os.fstat(file.fileno()).st_mode
    except FileNotFoundError:
        raise StoreError(f"{path} is no plain file that this user alone may write to") from None
    if mode & 0o077:
        raise StoreError(f"others may read the key {path}: chmod 600 {path}, or remove it and what it signed")
    if len(key) != KEY_BYTES:
        raise StoreError(f"the key {path} is damaged: remove it, and another one is made")
    return key


def _make(path: Path) -> None:
    """Put a new key in place as a whole, unless another process is quicker."""
    aside = path.with_name(f".{KEY_FILE}-{os.urandom(8).hex()}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb", buffering=0) as file:
            file.write(os.urandom(KEY_BYTES))
        with contextlib.suppress(FileExistsError):
            os.link(aside, path)
    finally:
        os.unlink(aside)

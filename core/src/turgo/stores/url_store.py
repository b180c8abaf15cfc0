"""A store keeps its entries behind a URL. It may be S3, Google Cloud, SFTP, memory … whatever fsspec opens.

Its size is not limited here: such stores have rules of their own for what is old.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from turgo.errors import StoreError
from turgo.install import pip_install
from turgo.redaction import redacted_text
from turgo.stores.store import KEY, Usage


class UrlStore:
    """The entries are files of their keys' names below the URL.

    Raises StoreError if fsspec, or what it needs for the URL, is not installed, or if the URL makes no sense.
    """

    max_bytes: int | None = None

    def __init__(self, url: str) -> None:
        try:
            from fsspec.core import url_to_fs  # an extra: most stores are folders
        except ImportError as error:
            raise StoreError(f"{redacted_text(url)} needs fsspec: {pip_install('turgo[fsspec]')}") from error
        self.where = redacted_text(url)
        self._url = url
        try:
            self._fs, root = url_to_fs(url)
        except ImportError as error:  # fsspec says what to install: s3fs, gcsfs …
            raise StoreError(f"{self.where} cannot be opened: {redacted_text(str(error))}") from error
        except Exception as error:
            said = redacted_text(f"{type(error).__name__}: {error}")
            raise StoreError(f"{self.where} cannot be opened: {said}") from error
        self._root = str(root).rstrip("/")

    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """Those of the entries that are there; a filesystem that can asks for all of them at once."""
        paths = {self._path(key): key for key in keys}
        found: dict[str, bytes] = {}
        with _as_os_error():
            contents = self._fs.cat(list(paths), on_error="return")
        for path, content in contents.items():
            if isinstance(content, bytes):
                found[paths[path]] = content
            elif not isinstance(content, FileNotFoundError):
                raise OSError(f"{path}: {type(content).__name__}: {content}") from content
        return found

    def put(self, entries: Mapping[str, bytes]) -> None:
        """Write the entries, all at once where the filesystem can."""
        contents = {self._path(key): entry for key, entry in entries.items()}
        with _as_os_error():
            try:
                self._fs.pipe(contents)
            except FileNotFoundError:  # a filesystem with true folders
                self._fs.makedirs(self._root, exist_ok=True)
                self._fs.pipe(contents)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove the entries."""
        with _as_os_error():
            for key in keys:
                try:
                    self._fs.rm_file(self._path(key))
                except FileNotFoundError:
                    continue

    def usage(self) -> Usage:
        """How many entries there are, and their bytes."""
        sizes = [size for _, size in self._entries()]
        return Usage(len(sizes), sum(sizes))

    def clear(self) -> int:
        """Remove all entries, and nothing else below the URL; how many they were."""
        keys = [key for key, _ in self._entries()]
        self.delete(keys)
        return len(keys)

    def sizes(self, keys: Sequence[str]) -> dict[str, int]:
        """How many bytes those of the entries have that are there."""
        paths = {key: self._path(key) for key in keys}
        with _as_os_error():
            self._fs.invalidate_cache()
            with suppress(FileNotFoundError):
                return dict(zip(keys, map(int, self._fs.sizes(list(paths.values()))), strict=True))
            found = {}
            for key, path in paths.items():
                with suppress(FileNotFoundError):
                    found[key] = int(self._fs.size(path))
            return found

    def remove(self) -> None:
        """Remove all entries, and the folder if nothing else lies in it."""
        self.clear()
        with suppress(Exception):  # most have no folders, and some will not have one removed
            self._fs.rmdir(self._root)

    def target(self, key: str) -> tuple[str, str]:
        """Where another process can write an entry: the URL, and its name below that."""
        return self._url, key

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _entries(self) -> Iterator[tuple[str, int]]:
        with _as_os_error():
            try:
                found: list[dict[str, Any]] = self._fs.ls(self._root, detail=True, refresh=True)
            except FileNotFoundError:
                return
        for each in found:
            name = each["name"].rpartition("/")[2]
            if KEY.fullmatch(name):
                yield name, int(each["size"] or 0)


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Raise what the client library of a store raises as an OSError."""
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        raise OSError(redacted_text(f"{type(error).__name__}: {error}")) from error

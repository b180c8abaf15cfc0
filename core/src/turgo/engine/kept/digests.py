"""Digests of the values of a run, made when each is there, and of the arguments of its calls.

The argument of a call counts by the digest that its value had when it was made: so a value that a task changes in
place is known again, and one that many calls take is looked at once. What is remote counts by the digest of its copy,
in this run and in later ones, and has none without one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from turgo.engine.schedule.progress import Progress
from turgo.engine.schedule.remote import RemoteValue
from turgo.flows.graph import Node
from turgo.identity.code import Code
from turgo.journal.rows import IDENTITY_BYTES
from turgo.records.states import PRESENT, SKIPPED
from turgo.worker.arguments import CONST, CONSTANTS, DICT, RESULT, RESULTS, Template

Digest = bytes

_SIMPLE = frozenset({int, float, bool, str, type(None)})


def combined(parts: Iterable[bytes]) -> Digest:
    """One digest of several texts or digests, in their order."""
    made = hashlib.blake2b(digest_size=IDENTITY_BYTES)
    for part in parts:
        made.update(len(part).to_bytes(8, "big"))
        made.update(part)
    return made.digest()


def of_copy(content: bytes) -> Digest | None:
    """The digest that a value counts by which a worker has copied; None if there is no copy."""
    return combined([b"copy", content]) if content else None


class ValueDigests:
    """The digests of values of one run. None stands for one that cannot be made."""

    def __init__(self, progress: Progress, code: Code) -> None:
        self.progress = progress
        self.code = code
        self._single: dict[int, Digest | None] = {}
        self._elements: dict[int, dict[int, Digest | None]] = {}
        self._constants: dict[tuple[int, int | str], Digest | None] = {}
        self._contents: dict[int, bytes] = {}
        self._spread: dict[tuple[int, int], tuple[Any, list[Digest | None]]] = {}

    def of_value(self, value: Any) -> Digest | None:
        """The digest of a value that is here."""
        if type(value) in _SIMPLE:
            text = f"{type(value).__name__} {value!r}".encode(errors="surrogatepass")
            return hashlib.blake2b(text, digest_size=IDENTITY_BYTES).digest()
        if type(value) is RemoteValue:
            return of_copy(value.digest)
        try:
            return bytes.fromhex(self.code.digest(value))
        except Exception:  # noqa: BLE001  (user data, whose pickling may raise anything)
            return None

    def enter(self, node: int, value: Any, content: bytes | None = None) -> None:
        """A single call has this value now. content: the digest of its copy, which it counts by if there is one."""
        self._single[node] = self.of_value(value) if content is None else of_copy(content)
        if content is not None:
            self._contents[node] = content

    def enter_element(self, node: int, index: int, value: Any, content: bytes | None = None) -> None:
        """An element of a mapped node has this value now; see `enter`."""
        digest = self.of_value(value) if content is None else of_copy(content)
        self._elements.setdefault(node, {})[index] = digest

    def enter_constants(self, node: Node) -> None:
        """The arguments of a node that are here before anything runs, and that its calls may change."""
        spread = node.spread or ()
        for number in range(len(spread)):
            source = self.progress.mapped[node.id].sources[number]
            if type(source) is not int and isinstance(source, Sequence) and source:
                self._of_spread(node, number, 0)
        if node.plan == RESULTS:
            return
        places: list[tuple[int | str, Any]] = [*enumerate(node.args), *node.kwargs.items()]
        for place, held in places:
            if place not in spread and (node.plan == CONSTANTS or held[0] == CONST):
                self._of_template((CONST, held) if node.plan == CONSTANTS else held, (node.id, place))

    def of_arguments(self, node: Node, index: int | None) -> list[Digest] | None:
        """The digests of the arguments of a call, with their names; None if one of them has none."""
        found: list[Digest] = []
        places: list[tuple[int | str, Any]] = [*enumerate(node.args), *node.kwargs.items()]
        for place, held in places:
            if node.spread is not None and index is not None and place in node.spread:
                digest = self._of_spread(node, node.spread.index(place), index)
            elif node.plan == RESULTS:
                digest = self._of_node(held)
            else:
                template = (CONST, held) if node.plan == CONSTANTS else held
                digest = self._of_template(template, (node.id, place))
            if digest is None:
                return None
            found += [str(place).encode(), digest]
        return found

    def _of_spread(self, node: Node, number: int, index: int) -> Digest | None:
        source = self.progress.mapped[node.id].sources[number]
        if type(source) is int:
            return self._of_element(source, index)
        copied = source.digest if type(source) is RemoteValue else self._content_of(node, number)
        if copied:
            return combined([b"element", copied, str(index).encode()])
        if not isinstance(source, Sequence):
            return None
        held, digests = self._spread.get((node.id, number), (None, []))
        if held is not source:
            digests = [self.of_value(each) for each in source]
            self._spread[node.id, number] = (source, digests)
        return digests[index]

    def _content_of(self, node: Node, number: int) -> bytes:
        """The digest of the copy that a spread argument was taken from; empty for any other one."""
        place = (node.spread or ())[number]
        held = node.args[place] if isinstance(place, int) else node.kwargs[place]
        if node.plan == RESULTS:
            return self._contents.get(held, b"")
        is_result = node.plan != CONSTANTS and held[0] == RESULT
        return self._contents.get(held[1], b"") if is_result else b""

    def _of_element(self, node: int, index: int) -> Digest | None:
        known = self._elements.setdefault(node, {})
        if index not in known:
            mapped = self.progress.mapped[node]
            if mapped.states[index] not in PRESENT:
                return None
            known[index] = self.of_value(mapped.values[index])
        return known[index]

    def _of_node(self, node: int) -> Digest | None:
        """Of the whole value of a node, which is a list if it is mapped."""
        mapped = self.progress.mapped.get(node)
        if mapped is None:
            if node not in self._single:
                if self.progress.states[node] not in PRESENT:
                    return None
                self._single[node] = self.of_value(self.progress.values[node])
            return self._single[node]
        if node not in self._single:
            indices = [index for index, code in enumerate(mapped.states) if code != SKIPPED]
            parts = [self._of_element(node, index) for index in indices]
            whole = [part for part in parts if part is not None]
            self._single[node] = combined([b"list", *whole]) if len(whole) == len(parts) else None
        return self._single[node]

    def _of_template(self, template: Template, place: tuple[int, int | str] | None) -> Digest | None:
        kind, held = template[0], template[1]
        if kind == RESULT:
            return self._of_node(held)
        if kind == CONST:
            if place is None:
                return self.of_value(held)
            if place not in self._constants:
                self._constants[place] = self.of_value(held)
            return self._constants[place]
        pairs = held if kind == DICT else [(None, each) for each in held]
        parts = [str(template[0]).encode(), repr(template[2:]).encode() if len(template) > 2 else b""]
        for key, each in pairs:
            digest = self._of_template(each, None)
            if digest is None:
                return None
            parts += [b"" if key is None else repr(key).encode(), digest]
        return combined(parts)

"""Wrong in what they offer beside calls."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from pathlib import Path

from turgo.errors import OptionError
from turgo.executor import ExecutorEvent
from turgo.registry.source_files import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right = _right.Right

SHOWN = ExecutorEvent("dashboard", "it can be watched", link="http://localhost")


class RepeatsEvents(Right):
    breaks = ("events_are_told_once",)

    def events(self):
        return [SHOWN]


class TellsTexts(Right):
    breaks = ("events_are_told_once",)

    def events(self):
        return ["a worker came"]


class Channel(Right):
    """Has a channel to its own process, in which `deliver` is given what `bent` makes of each message."""

    @contextmanager
    def channel(self, deliver):
        lock, kept = threading.Lock(), []

        def send(message):
            with lock:
                for each in self.bent(message, kept):
                    deliver(each)

        yield send


class SwapsMessages(Channel):
    breaks = ("channels_deliver",)

    def bent(self, message, kept):
        kept.append(message)
        return [kept.pop(), kept.pop()] if len(kept) == 2 else []


class CutsMessages(Channel):
    breaks = ("channels_deliver",)

    def bent(self, message, kept):
        return [message[:7]]


class MistakesTypes(Right):
    breaks = ("types_are_true",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        future.type = int
        return future


class RefusesTags(Right):
    breaks = ("tags_of_others_pass",)

    def check_tags(self, tags):
        for tag in tags:
            if "=" not in tag:
                raise OptionError(f"{tag!r} asks for nothing", option="tags")

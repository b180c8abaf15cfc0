"""What a worker does for slots that are held: in threads of this process, with a worker that is made up."""

from __future__ import annotations

import asyncio
import pickle
import threading
import time
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import threadpoolexecutor

from turgo_dask.slots import on_worker
from turgo_dask.slots.on_worker import SLOTS, Slots, install, take, tell

END_SECONDS = 30


class Stream:
    """Keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any]) -> None:
        """One more."""
        self.sent.append(message)


@pytest.fixture
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop that runs in a thread."""
    found = asyncio.new_event_loop()
    thread = threading.Thread(target=found.run_forever)
    thread.start()
    yield found
    found.call_soon_threadsafe(found.stop)
    thread.join()
    found.close()


@pytest.fixture
def worker(loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a worker has that matters here."""
    events: list[tuple[str, Any]] = []
    found = SimpleNamespace(
        loop=SimpleNamespace(asyncio_loop=loop),
        state=SimpleNamespace(ready=[], constrained=[]),
        status=SimpleNamespace(name="running"),
        handlers={},
        events=events,
        log_event=lambda topic, message: events.append((topic, message)),
    )
    monkeypatch.setattr(on_worker, "get_worker", lambda: found)
    monkeypatch.setattr(threadpoolexecutor.thread_state, "proceed", True, raising=False)
    return found


@pytest.fixture
def slots(worker: Any) -> Slots:
    """Those of a driver that is connected."""
    install("topic", "handler", worker)
    found: Slots = getattr(worker, SLOTS)["topic"]
    found.stream = Stream()  # type: ignore[assignment]
    return found


def sent(slots: Slots, count: int) -> list[dict[str, Any]]:
    """What was sent, once there are so many messages."""
    stream: Any = slots.stream
    end = time.monotonic() + END_SECONDS
    while len(stream.sent) < count:
        assert time.monotonic() < end
        time.sleep(0.001)
    found: list[dict[str, Any]] = stream.sent
    return found


def test_a_value_is_told_by_an_event_where_there_is_no_connection(worker: Any) -> None:
    """If it is bytes and not too many; it is returned in any case."""
    assert tell("topic", "a", bytes, 3) == bytes(3)
    assert len(tell("topic", "b", bytes, on_worker.MOST_TOLD_BYTES + 1)) == on_worker.MOST_TOLD_BYTES + 1
    assert tell("topic", "c", int, 3) == 3
    assert worker.events == [("topic", ("a", bytes(3)))]


def test_a_slot_makes_what_is_handed_to_it(
    slots: Slots, worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One call after the other, in the thread of the first, until it is let go."""
    monkeypatch.setattr(on_worker, "HOLD_SECONDS", 10 * END_SECONDS)
    threads: list[int] = []

    def noted(number: int) -> bytes:
        threads.append(threading.get_ident())
        return bytes(number)

    first = threading.Thread(target=lambda: (set_slot(), tell("topic", "first", noted, 1)))
    calls = iter([2, 3])
    stream: Any = slots.stream
    stream.send = lambda message: (stream.sent.append(message), hand_next())

    def hand_next() -> None:
        number = next(calls, None)
        if number is None:
            slots._heard("first", None, b"")
        else:
            slots._heard("first", f"call-{number}", pickled[number])

    pickled = {number: pickle.dumps(partial(bytes, number)) for number in (2, 3)}
    first.start()
    first.join(END_SECONDS)
    assert sent(slots, 3) == [
        {"key": "first", "value": bytes(1), "held": True},
        {"key": "call-2", "value": bytes(2), "slot": "first", "held": True},
        {"key": "call-3", "value": bytes(3), "slot": "first", "held": True},
    ]
    assert slots._waiting == {} and worker.events == []


def set_slot() -> None:
    """This thread has a slot of its worker."""
    threadpoolexecutor.thread_state.proceed = True


@pytest.mark.parametrize("reason", ["ready", "constrained", "seceded", "paused"])
def test_a_slot_for_which_somebody_waits_is_not_held(slots: Slots, worker: Any, reason: str) -> None:
    """Nor one that is none any more, nor that of a worker which is to begin nothing. The value is told all the same."""
    if reason in ("ready", "constrained"):
        getattr(worker.state, reason).append("call")
    elif reason == "seceded":
        threadpoolexecutor.thread_state.proceed = False
    else:
        worker.status.name = "paused"
    assert tell("topic", "key", bytes, 3) == bytes(3)
    assert sent(slots, 1) == [{"key": "key", "value": bytes(3), "held": False}]
    assert slots._waiting == {}


def test_a_call_for_a_slot_that_is_gone_comes_back(slots: Slots) -> None:
    """It was not made."""
    slots._heard("slot", "key", b"call")
    slots._heard("slot", None, b"")
    assert sent(slots, 1) == [{"key": "key", "slot": "slot", "held": False, "gone": True}]


def test_a_call_that_waits_in_a_slot_comes_back_if_it_is_asked_for(
    slots: Slots, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not made then, there or in another slot, but where it is sent to again; one that has begun stays."""
    monkeypatch.setattr(on_worker, "HOLD_SECONDS", 10 * END_SECONDS)
    begun, go = threading.Event(), threading.Event()

    def runs() -> bytes:
        begun.set()
        assert go.wait(END_SECONDS)
        return b""

    monkeypatch.setattr(pickle, "loads", lambda call: {b"runs": runs, b"next": lambda: b"next"}[bytes(call)])
    first = threading.Thread(target=lambda: (set_slot(), tell("topic", "slot", bytes, 1)))
    first.start()
    sent(slots, 1)
    slots._heard("slot", "runs", b"runs")
    assert begun.wait(END_SECONDS)
    slots._heard("slot", "next", b"next")
    slots._heard("slot", "next", None)
    slots._heard("slot", "runs", None)
    slots._heard("other", "next", b"next")
    slots._heard("slot", "next", b"next")
    go.set()
    assert sent(slots, 6)[1:] == [
        {"key": "next", "slot": "slot", "held": True, "gone": True},
        {"key": "runs", "slot": "slot", "begun": True},
        {"key": "next", "slot": "other", "held": False, "gone": True},
        {"key": "runs", "value": b"", "slot": "slot", "held": True},
        {"key": "next", "value": b"next", "slot": "slot", "held": True},
    ]
    slots._heard("slot", None, b"")
    first.join(END_SECONDS)
    assert slots._waiting == {} and slots._queued == {}


def test_a_slot_is_let_go_when_its_driver_says_so(slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    """Long before it would end by itself."""
    monkeypatch.setattr(on_worker, "HOLD_SECONDS", 10 * END_SECONDS)
    stream: Any = slots.stream
    stream.send = lambda message: slots._heard("key", None, b"")
    assert tell("topic", "key", bytes, 3) == bytes(3)
    assert slots._waiting == {}


def test_a_value_that_is_no_report_is_kept_for_the_call_that_takes_it(slots: Slots, worker: Any) -> None:
    """Once; elsewhere, and afterwards, the call is made again."""
    assert slots._made("key", pickle.dumps(partial(dict, a=1))) == {"key": "key", "kept": True}
    large = pickle.dumps(partial(bytes, on_worker.MOST_ANSWER_BYTES + 1))
    assert slots._made("large", large) == {"key": "large", "kept": True}
    made: list[int] = []
    assert take("topic", "key", made.append, 1) == {"a": 1} and made == []
    assert take("topic", "key", made.append, 2) is None and made == [2]
    assert take("elsewhere", "key", made.append, 3) is None and made == [2, 3]


def test_the_error_of_a_call_is_told(slots: Slots) -> None:
    """Whatever it is: the driver waits for an answer."""
    told = slots._made("key", pickle.dumps(partial(int, "three")))
    assert told["key"] == "key" and b"three" in bytes(told["error"]["exception"].data)
    told = slots._made("key", pickle.dumps(partial(exec, "raise SystemExit(3)")))
    assert "error" in told

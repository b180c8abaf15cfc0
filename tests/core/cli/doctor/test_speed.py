"""What is measured of an executor: that there are figures, not which."""

import re
from concurrent.futures import Future
from typing import Any

from turgo.cli.doctor.speed import speed
from turgo.executor import Executor
from turgo.futures import call_now


class Here(Executor):
    """Runs each call at once."""

    def submit(self, fn: Any, /, *args: Any, extra_context: Any = None, **kwargs: Any) -> Future[Any]:
        return call_now(fn, *args, **kwargs)


def test_a_round_trip_calls_and_bytes_are_measured() -> None:
    """Where nothing is sent, that is said in the place of a rate."""
    with Here().start() as executor:
        (finding,) = speed(executor)
    assert re.match(r"a round trip takes .+; [\d,]+ calls/s one by one", finding.text)
    assert finding.text.endswith("values are handed over, not sent") or finding.text.endswith("to a worker")

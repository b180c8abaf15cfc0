"""An executor that makes each call at once, where it is submitted: core's tests need no plugin."""

from __future__ import annotations

from concurrent.futures import Future

from turgo.executor import Executor


class InlineExecutor(Executor):
    """Every call is over when `submit` returns."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  (whatever a call raises is its own)
            future.set_exception(error)
        return future

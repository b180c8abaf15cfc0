"""The door for executors that run calls in threads."""

import threading
import time

from turgo.interrupt import Interrupt, raise_in


def test_a_thread_that_absorbs_everything_is_ended_from_another_one():
    """Its error is of the class of this one interrupt, and ends a whole batch, not one call of it."""
    interrupt, begun, raised = Interrupt(None), threading.Event(), []

    def absorb():
        begun.set()
        while True:
            try:
                time.sleep(0.01)
            except BaseException as error:  # noqa: BLE001  (as users write it)
                raised.append(error.propagates)

    def body():
        try:
            with interrupt:
                absorb()
        except interrupt.kind as error:
            raised.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    assert begun.wait(30)
    raise_in(thread, interrupt.kind)
    thread.join(30)
    assert not thread.is_alive()
    assert raised[0] is True
    assert type(raised[-1]) is interrupt.kind

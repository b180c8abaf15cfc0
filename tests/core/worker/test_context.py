"""`turgo.current()`: what a task may know of its own run."""

import contextvars
import pickle
import threading

import pytest

from turgo import current
from turgo.errors import NoTaskError
from turgo.worker.arguments import CONSTANTS
from turgo.worker.batch import Batch, BatchPiece, Step
from turgo.worker.context import TaskContext
from turgo.worker.execute import execute


def told(fn, **facts):
    """What `fn` gives as the one call of a batch with some facts."""
    step = Step(3, CONSTANTS, (), {}, (), None, name="asks", index=facts.pop("index", None))
    batch = Batch([BatchPiece(step, fn, -1, -1, None)], {})
    batch.run = ("run-1", "whole")
    for name, value in facts.items():
        setattr(batch, name, value)
    (outcome,) = execute(batch).outcomes
    assert outcome.failure is None, outcome.failure
    return outcome.value


def test_outside_a_task_it_is_an_error_that_says_so():
    """Before a task and after one."""
    for _ in range(2):
        with pytest.raises(NoTaskError, match="outside a task"):
            current()
        told(current)


def test_it_tells_run_flow_task_index_and_attempt():
    """The attempt is 1 unless the driver says otherwise."""
    one, other = told(current), told(current, index=4, attempts={(3, None): 2})
    assert one == TaskContext("run-1", "whole", "asks", None, 1, one.seed)
    assert other == TaskContext("run-1", "whole", "asks", 4, 2, other.seed)


def test_its_seed_is_of_the_call_and_not_of_the_attempt():
    """The same number in every process: it is made of names, and of no hash that Python salts."""
    assert told(current).seed == told(current, attempts={(3, None): 2}).seed == 16045055432036458125


def test_it_has_a_logger_of_the_tasks_name_and_can_be_sent():
    """A task may return it."""
    context = pickle.loads(pickle.dumps(told(current)))
    assert context.logger.name == "turgo.task.asks"


def test_a_batch_within_a_call_has_a_context_of_its_own():
    """As that of a flow that a task runs; afterwards the outer one is back."""

    def outer():
        return told(lambda: current().flow, run=("run-2", "inner")), current().flow

    assert told(outer) == ("inner", "whole")


def test_a_thread_knows_of_the_task_if_it_is_given_the_context():
    """Another one does not, and is told why."""

    def in_thread(fn):
        outcome = []

        def body():
            try:
                outcome.append(fn())
            except NoTaskError as error:
                outcome.append(str(error))

        thread = threading.Thread(target=body)
        thread.start()
        thread.join()
        return outcome[0]

    def call():
        context = contextvars.copy_context()
        return in_thread(lambda: context.run(current).task), in_thread(current)

    known, unknown = told(call)
    assert known == "asks" and "copy_context" in str(unknown)

"""What workers do with values on a flow's behalf."""

import pickle
import subprocess
import sys
from pathlib import Path

import cloudpickle
import pytest

from turgo import Skip, flow
from turgo.engine.transport.flow_code import FlowCode
from turgo.engine.transport.pickler import CodePickler
from turgo.engine.transport.worker_code import own_worker_code
from turgo.worker.functions import chosen, counted, flattened


def test_flattened_goes_one_level_down():
    """Into collections of every kind; what is nested more deeply stays as it is."""
    assert flattened([[1, [2]], (), {3: "x"}, range(4, 6), {6}]) == [1, [2], 3, 4, 5, 6]


@pytest.mark.parametrize("element", [7, "text", b"bytes", None])
def test_an_element_that_is_no_collection_is_named(element):
    """A text is none: nobody wants its letters."""
    with pytest.raises(TypeError, match="element 1 of what is to be flattened is"):
        flattened([[1], element])


def test_a_branch_is_chosen_by_equality():
    """Skip says what was found and what the branch is for; a comparison that fails is a failure."""
    assert chosen("a", "a") and chosen(1, 1.0) and chosen(None, None)
    with pytest.raises(Skip, match="the condition is 'a', not 'b'"):
        chosen("a", "b")

    class Odd:
        def __eq__(self, other):
            raise ValueError("cannot be compared")

        __hash__ = None

    with pytest.raises(ValueError, match="cannot be compared"):
        chosen(Odd(), 1)


def test_counted_keeps_the_name_and_passes_on_what_is_raised():
    """It looks at the value only."""

    def halves(text):
        raise KeyError(text)

    made = counted(halves, 2, "halves")
    assert made.__name__ == "halves"
    with pytest.raises(KeyError, match="x"):
        made("x")


def test_a_worker_without_turgo_can_do_it():
    """The functions travel with the engine's code."""
    worker_code = own_worker_code()
    assert worker_code is not None
    blob = CodePickler(worker_code, FlowCode(())).dumps((flattened, [[1], [2, 3]]))
    program = "import pickle, sys\nfn, value = pickle.load(sys.stdin.buffer)\nprint(fn(value))"
    bare = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(bare, input=blob, capture_output=True, timeout=60, check=False)
    assert done.stdout.strip() == b"[1, 2, 3]", done.stderr.decode()
    assert pickle.loads(blob)[0]([[4]]) == [4]


def test_a_flow_says_what_a_worker_lacks_to_run_it(tmp_path):
    """The class that it stands in is whole there. Where turgo is installed it is the flow, with its options."""

    class Shelf:
        @flow(timeout=60.0)
        def prices(self):
            """Nothing is called."""

    worker_code = own_worker_code()
    assert worker_code is not None
    blob = CodePickler(worker_code, FlowCode(())).dumps((flattened, Shelf()))
    (tmp_path / "cloudpickle").symlink_to(Path(cloudpickle.__file__).parent)
    program = f"""
import pickle, sys
sys.path.append({str(tmp_path)!r})
_, shelf = pickle.load(sys.stdin.buffer)
shelf.prices.with_options(timeout=3.0).run()
"""
    bare = [sys.executable, "-I", "-S", "-c", program]
    done = subprocess.run(bare, input=blob, capture_output=True, timeout=60, check=False)
    assert b"ModuleNotFoundError: the flow prices is called within a task, and turgo" in done.stderr
    assert pickle.loads(blob)[1].prices.options.timeout == 60.0

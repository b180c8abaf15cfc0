"""An executor of an older version of the contract works; one of a version that is not understood is refused."""

from concurrent.futures import Future
from pathlib import Path

import pytest

from penstock import API_VERSION, Executor, flow, get_executor, task
from penstock.errors import ApiVersionError
from penstock.versions import OLDEST_API_VERSION, remedy_for


class First(Executor):
    """An executor as it was written for version 1: `submit` knows no hints."""

    api_version = 1

    def submit(self, fn, /, *args, **kwargs):
        done = Future()
        done.set_result(fn(*args, **kwargs))
        return done


@task
def double(x):
    return 2 * x


@flow
def doubles():
    return double.map([1, 2])


def test_an_executor_of_version_1_runs_a_flow():
    """Its `submit` never sees the hints, which version 2 brought, and is not broken by them."""
    assert doubles.run(executor=First()).result == [2, 4]


def test_an_executor_of_version_1_takes_keywords():
    """What the call itself is given by name still arrives."""
    with First().start() as executor:
        assert executor.submit(int, "11", base=2).result() == 3


def test_the_oldest_version_is_the_one_before():
    """At least one step of the contract's past is understood."""
    assert OLDEST_API_VERSION < API_VERSION


@pytest.mark.parametrize(("version", "upgrade"), [(0, "mine"), (API_VERSION + 1, "penstock")])
def test_the_message_says_which_side_to_upgrade(version, upgrade, tmp_path: Path):
    """Too old: the executor's package; too new: penstock."""
    file = tmp_path / "late.py"
    file.write_text(
        "from penstock import Executor\n\n\nclass Late(Executor):\n"
        f"    api_version = {version}\n\n    def submit(self, fn, /, *args, **kwargs): ...\n"
    )
    with pytest.raises(ApiVersionError, match=f"version {version}.*understands 1 to {API_VERSION}") as caught:
        get_executor(f"{file}:Late")
    assert remedy_for(version, "mine") == upgrade
    assert ("upgrade penstock" in str(caught.value)) == (upgrade == "penstock")


@pytest.mark.parametrize("version", range(OLDEST_API_VERSION, API_VERSION + 1))
def test_what_is_understood_needs_no_remedy(version):
    """Every version from the oldest to the present one is accepted."""
    assert remedy_for(version, "mine") is None

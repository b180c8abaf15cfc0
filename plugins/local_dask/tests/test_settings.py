"""Names of schedulers, and which keywords are dask configuration."""

from __future__ import annotations

import concurrent.futures
import subprocess
import sys
from typing import Any

import dask.config
import dask.threaded
import pytest

from penstock.errors import OptionError
from penstock_local_dask import LocalDaskExecutor


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("threads", "threads"),
        ("Threading", "threads"),
        ("PROCESSES", "processes"),
        ("multiprocessing", "processes"),
        ("sync", "synchronous"),
        ("Synchronous", "synchronous"),
        ("single-threaded", "synchronous"),
        ("single_threaded", "synchronous"),
    ],
)
def test_schedulers_have_several_names_in_any_case(written: str, name: str) -> None:
    """Each name that dask knows leads to one of three."""
    assert LocalDaskExecutor(written).scheduler == name


def test_unknown_scheduler_lists_the_choices() -> None:
    """A typo says what there is and what may be meant."""
    with pytest.raises(OptionError, match=r"'threads'.*'processes'.*'synchronous'") as caught:
        LocalDaskExecutor("proceses")
    assert caught.value.nearest == "processes"


@pytest.mark.parametrize("scheduler", [None, 3, ["threads"]])
def test_a_scheduler_of_another_type_is_an_error(scheduler: Any) -> None:
    """What is neither a name nor callable is refused in the same words."""
    with pytest.raises(OptionError, match="there is no scheduler"):
        LocalDaskExecutor(scheduler)


def test_unknown_keyword_names_the_nearest() -> None:
    """`num_wokers=3` is an error, not a setting that nobody reads."""
    with pytest.raises(OptionError, match="Did you mean 'num_workers'") as caught:
        LocalDaskExecutor(num_wokers=3)
    assert (caught.value.option, caught.value.nearest) == ("num_wokers", "num_workers")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_workers": 0}, "at least 1"),
        ({"num_workers": "4"}, "at least 1"),
        ({"num_workers": True}, "at least 1"),
        ({"pool": 4}, "concurrent.futures.Executor"),
        ({"multiprocessing.context": "spoon"}, "spawn"),
    ],
)
def test_values_that_make_no_sense_are_refused(options: dict[str, Any], message: str) -> None:
    """A value that no pool could be made from is found when the executor is built."""
    with pytest.raises(OptionError, match=message):
        LocalDaskExecutor("threads", **options)


@pytest.mark.parametrize(
    "option", ["multiprocessing.context", "multiprocessing_context", "multiprocessing__context"]
)
def test_configuration_is_in_force_during_start_and_restored(option: str) -> None:
    """However a key is written, dask sees it during `start()`, and what was there before comes back."""
    options = {option: "forkserver", "temporary_directory": "/tmp/here", "chunksize": 7}
    before = dask.config.get("temporary-directory")
    with LocalDaskExecutor("sync", **options).start():
        assert dask.config.get("multiprocessing.context") == "forkserver"
        assert dask.config.get("temporary-directory") == "/tmp/here"
        assert dask.config.get("chunksize") == 7
    assert dask.config.get("temporary-directory") == before
    assert dask.config.get("chunksize", None) is None
    assert dask.config.get("multiprocessing.context", None) is None


def test_options_are_public_attributes() -> None:
    """What was given can be read, under its own name."""
    executor = LocalDaskExecutor("processes", num_workers=3)
    assert (executor.scheduler, executor.dask_config) == ("processes", {"num_workers": 3})


def test_slots_and_capabilities_follow_the_scheduler() -> None:
    """One slot without a pool, otherwise the workers; processes alone survive the death of one."""
    assert LocalDaskExecutor("threads", num_workers=3).slots == 3
    assert LocalDaskExecutor("sync", num_workers=3).slots == 1
    assert LocalDaskExecutor(dask.threaded.get).slots == 1
    assert LocalDaskExecutor("threads").capabilities == {"parallel"}
    assert LocalDaskExecutor("processes").capabilities == {"parallel", "survives_worker_loss"}
    assert LocalDaskExecutor("sync").capabilities == frozenset()
    with dask.config.set(num_workers=5):
        assert LocalDaskExecutor("processes").slots == 5


def test_a_pool_of_ones_own_is_used_and_not_closed() -> None:
    """`pool` takes the calls, decides the slots, and goes on afterwards."""
    with concurrent.futures.ThreadPoolExecutor(3, thread_name_prefix="mine") as pool:
        with LocalDaskExecutor("threads", pool=pool).start() as executor:
            assert executor.slots == 3
            name = executor.wait(executor.submit(lambda: __import__("threading").current_thread().name))
        assert name.startswith("mine")
        assert pool.submit(abs, -1).result() == 1


def test_the_plugin_module_imports_no_dask() -> None:
    """Asking the plugin for its spec costs no import of dask."""
    code = (
        "import sys, penstock_local_dask.plugin as plugin\n"
        "(spec,) = plugin.penstock_executors()\n"
        "assert spec.name == 'local_dask'\n"
        "assert 'dask' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

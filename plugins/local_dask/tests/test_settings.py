"""Names of schedulers, and which keywords are dask configuration."""

from __future__ import annotations

import concurrent.futures
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import dask.config
import dask.threaded
import pytest

from penstock.errors import OptionError
from penstock_local_dask import LocalDaskExecutor
from penstock_local_dask.plugin import penstock_executors


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
    """One slot without a pool, otherwise the workers; what needs a process to end is offered by processes alone."""
    assert LocalDaskExecutor("threads", num_workers=3).slots == 3
    assert LocalDaskExecutor("sync", num_workers=3).slots == 1
    assert LocalDaskExecutor(dask.threaded.get).slots == 1
    assert LocalDaskExecutor("threads").capabilities == {"parallel", "forwards_logs"}
    assert LocalDaskExecutor("sync").capabilities == {"forwards_logs"}
    assert LocalDaskExecutor(dask.threaded.get).capabilities == frozenset()
    ends_processes = {"cancels_running", "hard_timeouts", "survives_worker_loss"}
    assert LocalDaskExecutor("processes").capabilities == {"parallel", "forwards_logs"} | ends_processes
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


def slots_of(options: str, **variables: str) -> int:
    """The slots of an executor in a fresh process."""
    return printed_by(
        f"from penstock_local_dask import LocalDaskExecutor; print(LocalDaskExecutor({options}).slots)",
        **variables,
    )


def printed_by(code: str, **variables: str) -> int:
    """The number that Python prints in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return int(done.stdout)


def test_variables_and_files_of_dask_count(tmp_path: Path) -> None:
    """`DASK_NUM_WORKERS` and a file in dask's folder of settings say how many, unless an option does."""
    (tmp_path / "mine.yaml").write_text("num_workers: 6\n")
    assert slots_of("'threads'", DASK_NUM_WORKERS="5") == 5
    assert slots_of("'processes'", DASK_CONFIG=str(tmp_path)) == 6
    assert slots_of("'processes', num_workers=2", DASK_CONFIG=str(tmp_path), DASK_NUM_WORKERS="5") == 2


def test_by_default_there_are_as_many_as_cpus_that_may_be_used() -> None:
    """Dask counts them; it heeds cgroups, and the affinity of the process where psutil is installed."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        assert slots_of("'processes'") == printed_by("from dask.system import CPU_COUNT; print(CPU_COUNT)")
    finally:
        os.sched_setaffinity(0, before)


def test_of_a_pool_of_ones_own_nothing_more_is_promised() -> None:
    """Whether it can end a call or forward logs is not known, whatever the scheduler."""
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        assert LocalDaskExecutor("processes", pool=pool).capabilities == {"parallel"}


def test_the_spec_says_what_the_default_can_do() -> None:
    """The capabilities that are listed without importing dask are those of the executor without options."""
    (spec,) = penstock_executors()
    assert spec.capabilities == LocalDaskExecutor().capabilities


@pytest.mark.skipif(
    sys.version_info < (3, 13), reason="older ones have no isolated interpreters to try it in"
)
@pytest.mark.parametrize("scheduler", ["threads", "processes", "sync"])
def test_a_subinterpreter_is_told_what_it_cannot_have(scheduler: str) -> None:
    """Threads and processes say so on `start()`; calls one after another work there."""
    inner = (
        "from penstock_local_dask import LocalDaskExecutor\n"
        f"with LocalDaskExecutor({scheduler!r}).start() as executor: print(executor.submit(abs, -1).result())"
    )
    code = (
        "import _interpreters\n"
        f"failed = _interpreters.exec(_interpreters.create(), {inner!r})\n"
        "print(failed.formatted if failed else 'fine')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert ("in a subinterpreter" in done.stdout) is (scheduler != "sync")
    assert ("fine" in done.stdout) is (scheduler == "sync")


def test_the_plugin_module_imports_no_dask() -> None:
    """Asking the plugin for its spec costs no import of dask."""
    code = (
        "import sys, penstock_local_dask.plugin as plugin\n"
        "(spec,) = plugin.penstock_executors()\n"
        "assert spec.name == 'local_dask'\n"
        "assert 'dask' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)

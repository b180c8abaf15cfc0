"""Wrong in what they say that they can do."""

from __future__ import annotations

import logging
import os
import pickle
import time
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from turgo.registry.source_files import load_source
from turgo.testing import calls
from turgo.testing import failing_calls as mishaps

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class OneByOne(Right):
    breaks = ("parallel_is_parallel", "slots_are_true", "flows_overlap")

    @contextmanager
    def start(self):
        with ThreadPoolExecutor(1) as self._pool:
            yield self


class BoastsOfDistance(Right):
    breaks = ("distributed_leaves_the_process", "distributed_copies")
    capabilities = frozenset({"parallel", "distributed"})


class BoastsOfCancelling(Right):
    breaks = ("cancels_running_is_true",)
    capabilities = frozenset({"parallel", "cancels_running"})


class BoastsOfTimeouts(Right):
    breaks = ("hard_timeouts_kill",)
    capabilities = frozenset({"parallel", "hard_timeouts"})


class TimesOutAtOnce(Right):
    breaks = ("hard_timeouts_spare", "flows_kill_what_hangs")
    capabilities = frozenset({"parallel", "hard_timeouts"})

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        if "task_timeout" in (extra_context or {}):
            fn, args, kwargs = mishaps.throw, (TimeoutError("over"),), {}
        return super().submit(fn, *args, **kwargs)


class BoastsOfSurvival(Right):
    breaks = (
        "lost_workers_are_named",
        "later_calls_survive",
        "flows_survive_lost_workers",
        "killers_are_found",
    )
    capabilities = frozenset({"parallel", "survives_worker_loss"})


class BoastsOfRemoteness(Right):
    breaks = ("values_stay_remote", "nested_values_stay_remote")
    capabilities = frozenset({"parallel", "keeps_results_remote"})

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: pickle.loads(pickle.dumps(fn(*args, **kwargs))))


class BoastsOfLogs(Right):
    breaks = ("logs_are_forwarded",)
    capabilities = frozenset({"parallel", "forwards_logs"})

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(int) if fn is calls.log else super().submit(fn, *args, **kwargs)


class BoastsOfResources(Right):
    breaks = ("resources_can_be_asked_for", "missing_resources_are_waited_for")
    capabilities = frozenset({"parallel", "resources"})


class OffersAll(Right):
    breaks = ("offers_what_it_declares", "requirements_are_weighed")

    def offers(self, requirement):
        return True


class ChangesItsMind(Right):
    breaks = ("capabilities_are_constant",)

    @property
    def capabilities(self):
        return frozenset({"parallel"}) if self.started else frozenset()


class SaysNothing(Right):
    breaks = ("one_slot_without_parallel",)
    capabilities = frozenset()


class Elsewhere(Right):
    breaks = ("at_home_without_distributed",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return (
            super().submit(lambda: ("elsewhere", 1))
            if fn is calls.where
            else super().submit(fn, *args, **kwargs)
        )


class ClaimsCancelled(Right):
    breaks = ("running_calls_end_without_cancels_running",)

    def cancel(self, futures):
        return super().cancel(futures) or 1


class SoftTimeouts(Right):
    breaks = ("timeouts_are_hints_without_hard_timeouts",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        limit, began = (extra_context or {}).get("task_timeout"), time.monotonic()

        def call():
            value = fn(*args, **kwargs)
            if limit and time.monotonic() - began > limit:
                raise TimeoutError("it took too long")
            return value

        return super().submit(call)


class LosesInSilence(Right):
    """As if a process of its own ran the calls, whose death nobody notices."""

    breaks = ("lost_workers_are_errors",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        if fn is mishaps.die:
            return Future()
        return (
            super().submit(lambda: os.getpid() + 1)
            if fn is os.getpid
            else super().submit(fn, *args, **kwargs)
        )


class TakesValuesAlong(OddFutures):
    breaks = ("values_come_home",)

    class kind(Future):  # noqa: N801
        def result(self, timeout=None):
            if not self.executor.started:
                raise LookupError("gone with the executor")
            return super().result(timeout)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        future = super().submit(fn, *args, **kwargs)
        future.executor = self
        return future


class LogsTwice(Right):
    breaks = ("logs_stay_without_forwards_logs",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        def call():
            if fn is calls.log:
                logging.getLogger(args[0]).warning(args[1])
            return fn(*args, **kwargs)

        return super().submit(call)


class WantsResources(Right):
    breaks = ("tags_are_passed_over_without_resources",)

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        if "GPU" in str((extra_context or {}).get("task_tags")):
            raise LookupError("there is no GPU")
        return super().submit(fn, *args, **kwargs)


class PromisesMore(Right):
    """Says that it has 32 slots, and has 8."""

    breaks = ("slots_are_true",)

    @property
    def slots(self):
        return 32

    @contextmanager
    def start(self):
        with ThreadPoolExecutor(8) as self._pool:
            yield self
            self._pool.shutdown(cancel_futures=True)


class RunsMore(Right):
    """Runs more calls at once than it has slots."""

    breaks = ("slots_are_kept",)

    @contextmanager
    def start(self):
        with ThreadPoolExecutor(2 * self.workers) as self._pool:
            yield self
            self._pool.shutdown(cancel_futures=True)

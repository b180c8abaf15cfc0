"""Wrong in ways that whole flows bring to light: in what becomes of a batch, or of the report that it returns.

What a report is stands at the top of `turgo.worker.outcomes`.
"""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import cloudpickle

from turgo.registry.source_files import load_source
from turgo.worker.outcomes import CallOutcome, Report, is_complete

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class Tampers(Right):
    """Changes in each report what is told of one call, by `outcome`, and of elements, by `elements`."""

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: self.tampered(fn(*args, **kwargs)))

    def tampered(self, report):
        return report._replace(outcomes=[each and self.changed(each) for each in report.outcomes])

    def changed(self, outcome):
        return self.outcome(outcome) if isinstance(outcome, CallOutcome) else self.elements(outcome)

    def outcome(self, outcome):
        return outcome

    def elements(self, outcome):
        return outcome


class AddsOne(Tampers):
    """To each number that a call of a flow returns."""

    breaks = (
        "flows_give_their_shape", "flows_map", "flows_chain", "flows_map_over_map", "flows_spread_and_hold",
        "flows_map_nothing", "flows_in_layers", "flows_carry_values", "flows_of_closures", "flows_of_coroutines",
        "flows_wait_for_upstreams", "flows_within_flows", "flows_carry_large_values",
    )  # fmt: skip

    def outcome(self, outcome):
        return outcome._replace(value=self.more(outcome.value))

    def elements(self, outcome):
        return outcome._replace(values=[self.more(value) for value in outcome.values])

    @staticmethod
    def more(value):
        return value + 1 if isinstance(value, int) else value


class HidesFailures(Tampers):
    breaks = (
        "flows_survive_failures", "elements_of_flows_fail_alone", "failures_are_raised", "flows_time_out",
        "flows_trigger", "flows_skip", "exits_fail_their_task", "unportable_values_fail_their_task",
    )  # fmt: skip

    def outcome(self, outcome):
        return outcome._replace(failure=None)

    def elements(self, outcome):
        return outcome._replace(failures={})


class KnowsNoTime(Tampers):
    breaks = ("flows_are_recorded",)

    def outcome(self, outcome):
        return outcome._replace(ended=outcome.began)

    def elements(self, outcome):
        return outcome._replace(ends=[outcome.began] * len(outcome.ends))


class GivesUp(Tampers):
    """Once a call of a flow has failed, it makes no call that is not of a flow."""

    breaks = ("executors_outlive_failed_flows",)

    @contextmanager
    def start(self):
        self._gave_up = False
        with super().start():
            yield self

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        if extra_context is None and self._gave_up:
            return Future()
        return super().submit(fn, *args, extra_context=extra_context, **kwargs)

    def tampered(self, value):
        return super().tampered(value) if isinstance(value, Report) else value

    def changed(self, outcome):
        self._gave_up |= not is_complete(outcome)
        return outcome


class RunsTwice(Right):
    """What it runs first is a copy, so that nobody sees it but those whom the calls touch."""

    breaks = ("flows_call_once", "flows_run_again", "flows_retry", "retries_end", "flows_tell_their_logs")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        copy = cloudpickle.dumps((fn, args, kwargs))
        return super().submit(self.twice, copy, fn, args, kwargs)

    @staticmethod
    def twice(copy, fn, args, kwargs):
        same, *given = cloudpickle.loads(copy)
        same(*given[0], **given[1])
        return fn(*args, **kwargs)

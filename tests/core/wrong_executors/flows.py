"""Wrong in ways that whole flows bring to light."""

from __future__ import annotations

from pathlib import Path

from penstock.sources import load_source

_right = load_source(Path(__file__).parent.with_name("right_executor.py"))
Right, OddFutures = _right.Right, _right.OddFutures


class AnswersNone(Right):
    breaks = (
        "flows_give_their_shape", "flows_map", "flows_chain", "flows_survive_failures", "flows_map_over_map",
        "flows_spread_and_hold", "flows_map_nothing", "flows_in_layers", "flows_carry_values", "flows_of_closures",
        "flows_of_coroutines", "flows_wait_for_upstreams", "flows_within_flows", "flows_carry_large_values",
        "flows_are_recorded", "elements_of_flows_fail_alone", "failures_are_raised", "flows_time_out",
        "flows_trigger", "flows_skip", "exits_fail_their_task", "unportable_values_fail_their_task",
        "executors_outlive_failed_flows",
    )  # fmt: skip

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: fn(*args, **kwargs) and None)


class RunsTwice(Right):
    breaks = ("flows_call_once", "flows_run_again", "flows_retry", "retries_end", "flows_tell_their_logs")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        return super().submit(lambda: (fn(*args, **kwargs), fn(*args, **kwargs))[1])

"""States: which are final, and which are failures."""

from turgo.records.states import TaskState


def test_states_know_whether_they_are_over_and_whether_they_are_bad():
    """Skipped and cached are no failures; cancelled is one."""
    assert {state for state in TaskState if not state.finished} == {"Pending", "Running", "Retrying"}
    assert {state for state in TaskState if state.failed} == {
        "Failed",
        "TimedOut",
        "Crashed",
        "TriggerFailed",
        "Cancelled",
    }

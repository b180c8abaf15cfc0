"""The options of a task and of a flow as a type checker reads them."""

from typing import get_type_hints

import attrs

from turgo.flows.flow import FlowKeywords
from turgo.flows.policy.keywords import TaskKeywords
from turgo.flows.policy.options import FlowOptions, Policy


def test_each_option_is_a_keyword():
    """None is missing, and none is there that a task or flow does not have."""
    assert set(get_type_hints(TaskKeywords)) == {field.name for field in attrs.fields(Policy)}
    options = {field.name for field in attrs.fields(FlowOptions)}
    assert set(get_type_hints(FlowKeywords)) == options | {"executor", "requires"}

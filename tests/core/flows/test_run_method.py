"""What `flow.run` takes: the same names wherever they stand."""

import inspect
from typing import get_overloads

import pytest

from turgo import Flow
from turgo.flows.run_method import RESERVED, RunMethod

KEYWORD = inspect.Parameter.KEYWORD_ONLY


def options(function):
    """The keywords of a function that are no parameters of a flow."""
    return [each for each in inspect.signature(function).parameters.values() if each.kind is KEYWORD]


@pytest.mark.parametrize("method", [Flow.run, Flow.start])
def test_what_run_takes_for_itself_is_no_parameter_of_a_flow(method):
    """`start` takes the same, with the same defaults."""
    assert tuple(each.name for each in options(method)) == RESERVED
    assert [each.default for each in options(method)] == [each.default for each in options(Flow.run)]


def test_a_type_checker_knows_a_form_for_each_option_and_one_without():
    """Each has all the options, of the types that `run` says, and one of them has to be given."""
    plain, *forms = get_overloads(RunMethod.__call__)
    assert options(plain) == []
    required = [
        each.name for form in forms for each in options(form) if each.default is inspect.Parameter.empty
    ]
    assert tuple(required) == RESERVED
    types = {each.name: each.annotation for each in options(Flow.run)}
    for form in forms:
        assert {each.name: each.annotation for each in options(form)} == types

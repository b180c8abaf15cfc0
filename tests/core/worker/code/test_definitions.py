"""Definitions that are restored on a worker."""

import functools
import types

from turgo.worker.code import definitions, modules


def test_a_plain_object_is_one_object_within_a_run(names):
    """However often it is asked for."""
    space = modules.namespace("owner", "shipped_sentinel", {}, b"")
    first = definitions.attribute(space, "run", "MISSING", object)
    assert definitions.attribute(space, "run", "MISSING", object) is first and space["MISSING"] is first
    assert modules.shipped_modules()["shipped_sentinel"].MISSING is first


def give(value):
    return value


def test_a_function_is_one_object_within_a_run(names):
    """As the module has it; another code under that name, and another run, makes another one."""
    space = modules.namespace("owner", "shipped_function", {}, b"")

    def made(fn, run):
        found = definitions.function(types.FunctionType, run, "give", fn.__code__, space)
        packed = (lambda *state: None, ({}, {"__globals__": {}}), run, "give", ())
        definitions.restore_function(found, packed)
        return found

    first = made(give, "run")
    assert made(give, "run") is first and space["give"] is first
    assert made(test_a_plain_object_is_one_object_within_a_run, "run") is not first
    assert made(give, "next") is not first


def test_a_generic_function_gets_its_implementations():
    """As `functools.singledispatch` would have registered them."""
    show = functools.singledispatch(lambda value: "any")
    definitions.restore_dispatch(show, ({object: None, int: lambda value: "int"}, {"label": "x"}))
    assert show(1) == "int" and show("") == "any" and show.label == "x"

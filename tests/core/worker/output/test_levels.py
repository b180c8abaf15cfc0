"""Levels of the driver's loggers hold on a worker while a batch runs."""

import logging

import pytest

from turgo.worker.output.levels import driver_levels, local_levels, made_anyway


@pytest.fixture
def logger():
    made = logging.getLogger("test_levels.one")
    yield made
    made.setLevel(logging.NOTSET)


def test_the_levels_that_were_set_are_told_by_name(logger):
    """That of the root always, others only if somebody set them."""
    assert "test_levels.one" not in local_levels() and local_levels()["root"] == logging.getLogger().level
    logger.setLevel(logging.ERROR)
    assert local_levels()["test_levels.one"] == logging.ERROR


def test_levels_hold_inside_and_are_put_back(logger):
    """Also those that other batches brought meanwhile, of which the lowest holds."""
    root = logging.getLogger()
    before = root.level
    with driver_levels({"root": logging.INFO, "test_levels.one": logging.ERROR}):
        assert (root.level, logger.level) == (logging.INFO, logging.ERROR)
        other = driver_levels({"root": logging.ERROR, "test_levels.one": logging.DEBUG})
        other.__enter__()
        assert (root.level, logger.level) == (logging.INFO, logging.DEBUG)
    assert (root.level, logger.level) == (logging.ERROR, logging.DEBUG)
    other.__exit__(None, None, None)
    assert (root.level, logger.level) == (before, logging.NOTSET)


def test_what_runs_the_calls_keeps_its_own_levels(logger):
    """A line of the worker's own is made if it would have been without the driver's levels, and only then."""
    parent = logging.getLogger("test_levels")
    parent.setLevel(logging.WARNING)
    try:
        assert made_anyway(logger, logging.DEBUG)  # nobody asks for other levels
        with driver_levels({"root": logging.DEBUG, "test_levels": logging.DEBUG}):
            assert not made_anyway(logger, logging.INFO) and made_anyway(logger, logging.WARNING)
            assert not made_anyway(logging.getLogger("elsewhere"), logging.DEBUG)
    finally:
        parent.setLevel(logging.NOTSET)

"""Levels of the driver's loggers hold on a worker while a batch runs."""

import logging

import pytest

from turgo.worker.output.levels import driver_levels, local_levels


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

"""Captured logs: the records of one logger, for as long as somebody captures them."""

import logging

from turgo.testing.observed.captured_logs import CapturedLogs


def test_messages_and_levels_are_kept_while_they_are_captured() -> None:
    """Of that logger and those below it, and of no other; afterwards the logger is as it was."""
    logger = logging.getLogger("captured.logs")
    before = list(logger.handlers)
    with CapturedLogs.of("captured.logs") as captured:
        logger.warning("level %d", 3)
        logging.getLogger("captured.logs.below").error("below")
        logging.getLogger("captured").error("above")
    logger.error("too late")
    assert captured.messages == ["level 3", "below"]
    assert captured.levels == [logging.WARNING, logging.ERROR]
    assert logger.handlers == before

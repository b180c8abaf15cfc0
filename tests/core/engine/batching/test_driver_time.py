"""What the driver itself spends on a submission is known from the first ones on."""

import pytest

from turgo.engine.batching.driver_time import DriverTime
from turgo.engine.batching.load import Load

FIXED = 0.001


def test_what_depends_on_the_number_of_calls_is_no_part_of_it():
    """A batch of large arguments takes long to pickle: longer batches would only take longer."""
    driver = DriverTime()
    driver.submitted(1, 5.0)
    for calls in (1, 4, 2, 8, 16, 3) * 5:
        driver.submitted(calls, FIXED + calls * 0.05)
    assert driver.seconds == pytest.approx(FIXED, rel=0.01)


def test_submitting_and_reporting_add_up():
    """The first submission brings the code of the flow with it, and does not count."""
    driver = DriverTime()
    driver.submitted(1, 5.0)
    assert driver.seconds == 0.0
    for _ in range(3):
        driver.submitted(1, FIXED)
        driver.reported(1, 2 * FIXED)
    assert driver.seconds == pytest.approx(3 * FIXED)


def test_a_submission_is_never_thought_to_cost_less_than_the_driver_spends_on_it():
    """What the line tells of is only what comes after it; before anything is told, it is a guess."""
    load = Load()
    assert load.known_price == 0.0
    for _ in range(3):
        load.driver.submitted(1, 4 * FIXED)
    assert load.known_price == load.price == pytest.approx(4 * FIXED)

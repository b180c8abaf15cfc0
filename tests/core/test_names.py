"""Names that people write."""

import pytest

from turgo.names import did_you_mean, nearest, normalise


@pytest.mark.parametrize("written", ["Local-Dask", "local-dask", " local_dask "])
def test_a_name_has_one_form_however_it_is_written(written):
    """Capitals, blanks around it and the kind of stroke do not count."""
    assert normalise(written) == "local_dask"


def test_a_slip_is_told_with_what_was_meant():
    """The nearest of the known names, in half a sentence."""
    assert did_you_mean(nearest("timout", ["retries", "timeout"])) == "; did you mean 'timeout'?"


def test_what_is_like_nothing_known_is_told_with_no_guess():
    """A wrong guess would be worse than none."""
    assert nearest("colour", ["retries", "timeout"]) is None and did_you_mean(None) == ""

"""Titles of task runs: texts that are made late."""

import pickle

from turgo.records.titles import Title


def test_a_title_is_made_when_somebody_asks_and_keeps_nothing_alive():
    """With the input as long as the one who knows it is there; it is pickled as a text."""

    class Owner:
        def input_of(self, key):
            return f"n={key[1]}"

    owner = Owner()
    title = Title(("asks", 4), owner, (3, 4))
    assert str(title) == repr(title) == pickle.loads(pickle.dumps(title)) == "asks[4] (n=4)"
    assert type(pickle.loads(pickle.dumps(title))) is str
    del owner
    assert f"{title}" == "asks[4]"

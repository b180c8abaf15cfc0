"""The structure: what the nodes of a graph depend on."""

from turgo.outlines.structure import Structure


def test_upstream_is_what_is_needed_as_a_whole_and_element_by_element() -> None:
    """A map depends on the nodes that it follows too."""
    structure = Structure([(), (), (0,)], ["all_successful"] * 3, {2: (1,)})
    assert structure.upstream(2) == (0, 1) and structure.upstream(0) == ()
    assert not structure.after and not structure.executors

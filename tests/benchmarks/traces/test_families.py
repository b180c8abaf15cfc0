"""The synthetic traces: their shapes, that a seed makes them again, and the files that the command writes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from benchmarks.traces import families, wfformat


@pytest.mark.parametrize("family", families.FAMILIES)
def test_a_seed_makes_the_same_trace_again(family: str) -> None:
    """Two makings are equal, and each has at least ninety tasks that take time."""
    trace = families.FAMILIES[family]()
    assert trace == families.FAMILIES[family]()
    assert len(trace.tasks) >= 90
    assert all(task.seconds > 0 for task in trace.tasks)


def test_another_seed_gives_other_times_and_the_same_shape() -> None:
    """The seed decides about times alone."""
    one, other = families.montage(1), families.montage(2)
    assert one != other
    assert [task.parents for task in one.tasks] == [task.parents for task in other.tasks]


def test_montage_compares_each_image_with_its_neighbours() -> None:
    """On a grid of 2 x 2 there are six pairs, and one mosaic at the end of the longest way."""
    trace = families.montage(rows=2, columns=2)
    kinds = Counter(task.kind for task in trace.tasks)
    assert (kinds["mProject"], kinds["mDiffFit"], kinds["mBackground"]) == (4, 6, 4)
    assert max(trace.levels.values()) == 8
    assert [name.split("_")[0] for name in trace.ends] == ["mViewer"]


def test_a_chain_takes_as_long_as_everything_on_four_slots() -> None:
    """Who begins the chain last takes half as long again."""
    trace = families.chain()
    assert trace.critical_path == pytest.approx(trace.work / 4, rel=0.01)


def test_the_command_writes_one_file_for_each(tmp_path: Path) -> None:
    """The folder holds every family as a file that the loader reads."""
    assert families.main([str(tmp_path / "new")]) == 0
    read = {path.stem: wfformat.read(path) for path in (tmp_path / "new").iterdir()}
    assert read == {name: family() for name, family in families.FAMILIES.items()}


def test_the_command_without_a_folder_says_how_it_is_used(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong call ends with 2 and a line of usage."""
    assert families.main([]) == 2
    assert "FOLDER" in capsys.readouterr().err

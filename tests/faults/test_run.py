"""The campaign judges rightly: it finds nothing where nothing is, and what is planted where something is."""

import ast
import json
import random
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from faults.injected.catalogue import FAULTS, drawn, possible
from faults.judge import judged
from faults.kinds import CYCLE, KINDS
from faults.program import drawn as drawn_program
from faults.run import Clusters, judged_facts, perform
from faults.table import by_fault, page, totals


@pytest.fixture
def clusters(tmp_path: Path) -> Iterator[Clusters]:
    """None is started by what is tested here."""
    made = Clusters(tmp_path / "clusters")
    yield made
    made.drop()


def test_nothing_is_found_where_nothing_is(clusters: Clusters, tmp_path: Path) -> None:
    """A run that nothing happens to."""
    result = perform(3, clusters, tmp_path / "run", kind="local", fault="nothing", patience=4)
    assert (result.end, result.complaints) == ("success", {})


def test_what_is_planted_is_found(clusters: Clusters, tmp_path: Path) -> None:
    """Another value, a call made twice, one that was never made, a state that is not true, a line of a library."""
    folder = tmp_path / "run"
    result, facts = judged_facts(3, clusters, folder, kind="local", fault="nothing", patience=4)
    assert result.complaints == {}
    value = ast.literal_eval((folder / "out").read_text())
    value[next(iter(value))] = -1
    (folder / "out").write_text(f"{value}\n")
    first, second = list(facts.executions)[:2]
    facts.executions[first] *= 3
    facts.ended.discard(second)
    facts.recorded["task runs"][-1][2] = "Crashed"
    (folder / "err").write_text("Task was destroyed but it is pending!\n")
    assert {column for column, _ in judged(facts)} == {"wrong", "doubled", "lost", "noisy"}


def test_a_state_that_either_of_two_faults_explains_is_true(clusters: Clusters, tmp_path: Path) -> None:
    """One has calls of its own fail, the other any; by the first alone nobody knows why this one has."""
    _, facts = judged_facts(3, clusters, tmp_path / "run", kind="local", fault="nothing", patience=4)
    chance = random.Random(0)
    own, others = (
        FAULTS[name](chance, "temporary", 0.0)
        for name in ("500 failures at once", "resources that nobody has")
    )
    name = next(each.name for each in facts.nodes.values() if each.kind == "map" and len(each.calls) > 1)
    next(each for each in facts.recorded["task runs"] if each[0] == name)[2] = "Failed"
    facts.recorded["state"], facts.code = "Failed", 1
    found = {}
    for faults in ((own,), (own, others)):
        facts.faults = faults
        found[len(faults)] = [sentence for _, sentence in judged(facts)]
    assert ["no worker that was lost" in sentence for sentence in found[1]] == [True]
    assert found[2] == []


def test_a_crash_loop_beside_another_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """It kills as many workers as alone, whatever the other one has done before."""
    killed: list[list[int]] = []
    monkeypatch.setattr("faults.injected.workers.kill", killed.append)
    loop = FAULTS["workers in a crash loop"](random.Random(0), "temporary", 0.0)
    driver = SimpleNamespace(age=0.0)
    scene: Any = SimpleNamespace(driver=driver, acted=["another fault"], lost=set(), begun=2, total=1)
    for second in range(20):
        driver.age, scene.workers = 2.0 * second, lambda pid=second: [pid]
        loop.poll(scene)
    assert len(killed) == len(scene.lost) == 4 and len(scene.acted) == 5


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_draws_the_same(kind: str, tmp_path: Path) -> None:
    """Program, faults and moments; and each fault of a kind has its turn."""

    def once(seed: int) -> str:
        chance = random.Random(seed)
        program = drawn_program(chance, str(tmp_path))
        faults = drawn(kind, seed, chance)
        return json.dumps([program.plan(), [each.name for each in faults], str(faults[0].moment)])

    assert once(5) == once(5) != once(6)
    turns = {drawn(kind, number, random.Random(number))[0].name for number in range(len(FAULTS))}
    assert turns == {each.name for each in possible(kind)}
    assert kind in CYCLE


def test_the_table_counts_runs_that_are_wanting() -> None:
    """By kind and column, and by fault; a page gets it between its marks."""
    good = {"kind": "local", "faults": ["nothing"], "complaints": {}}
    bad = {"kind": "running", "faults": ["SIGKILL", "disk full"], "complaints": {"noisy": ["a", "b"]}}
    assert "| running | 1 | 0 | 0 | 0 | 0 | 1 | 0 |" in totals([good, bad])
    assert "| SIGKILL |  |  |  |  | 1 / **1** |  |" in by_fault([good, bad])
    text = "before\n<!-- the table of make faults -->\nold\n<!-- end of the table -->\nafter\n"
    assert "old" not in page(text, [good]) and page(page(text, [good]), [bad]).count("| all |") == 1

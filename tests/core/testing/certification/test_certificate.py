"""Certificates: what follows from what came of the checks, in the record and in its lines."""

import json
from pathlib import Path

import pytest

from turgo.errors import UsageError
from turgo.executor import CAPABILITIES, Executor
from turgo.testing import ManualExecutor
from turgo.testing.certification.certificate import Certificate, Outcome, certify, proven_before, write
from turgo.testing.certification.demands import Demands
from turgo.testing.specification import capability_checks, rules

PASSED = {rule.check: Outcome("passed") for rule in rules()}


class Parallel(ManualExecutor):
    """Claims something."""

    capabilities = frozenset({"parallel"})


def certified(executor: Executor, **outcomes: Outcome) -> Certificate:
    """Of an executor of which every check passed, but for these."""
    return certify("mine", {"width": "2"}, executor, {**PASSED, **outcomes}, 1.26)


def test_what_is_claimed_and_passed_is_proven() -> None:
    """What is not claimed is neither."""
    certificate = certified(Parallel())
    assert certificate.proven and certificate.failures == {}
    assert certificate.capabilities["parallel"].proven
    assert not any(claim.proven for name, claim in certificate.capabilities.items() if name != "parallel")
    assert set(certificate.capabilities) == set(CAPABILITIES)
    assert certificate.checks == {"passed": len(PASSED), "failed": 0, "skipped": 0}


def test_a_claim_whose_check_did_not_pass_is_not_proven() -> None:
    """The reason is what was observed; nor is then what was certified as a whole."""
    (check, *_) = capability_checks("parallel")
    failed = certified(Parallel(), **{check: Outcome("failed", "\n  the rule: x\n  but:  1 of 2\n")})
    assert not failed.proven and failed.capabilities["parallel"].because == "but:  1 of 2"
    skipped = certified(Parallel(), **{check: Outcome("skipped")})
    assert not skipped.proven and skipped.capabilities["parallel"].because == f"{check} skipped"


def test_a_check_that_failed_breaks_the_contract_whatever_is_claimed() -> None:
    """One that was skipped does not; nothing that ran proves nothing."""
    check = next(rule.check for rule in rules() if not rule.proves)
    failed = certified(ManualExecutor(), **{check: Outcome("failed", "why")})
    assert not failed.proven and failed.failures == {check: "why"}
    skipped = certified(ManualExecutor(), **{check: Outcome("skipped", "why")})
    assert skipped.proven and skipped.skips == {check: "why"}
    assert not certify("mine", {}, ManualExecutor(), {}, 0.0).proven


def test_the_lines_say_it_for_people() -> None:
    """What is proven, what is not declared, and whether the contract is kept."""
    lines = list(certified(Parallel()).lines())
    assert lines[0] == "parallel: proven" and lines[-1] == "the contract is kept"
    assert lines[1].startswith("not declared: ") and "distributed" in lines[1]
    (check, *_) = capability_checks("parallel")
    broken = list(certified(Parallel(), **{check: Outcome("failed", "but: 3")}).lines())
    assert broken[0] == "parallel: NOT PROVEN: but: 3" and "NOT kept" in broken[-1]


def test_it_is_written_as_json(tmp_path: Path) -> None:
    """With a number for its form, so that later ones can be told from it."""
    write(certified(Parallel()), tmp_path / "certificate.json")
    record = json.loads((tmp_path / "certificate.json").read_text(encoding="utf-8"))
    assert record["format"] == 1 and record["executor"] == "mine" and record["options"] == {"width": "2"}
    assert record["distribution"] is None and record["target"].endswith("Parallel")
    assert record["seconds"] == 1.3


def test_it_says_what_was_asked() -> None:
    """In the record, and in its lines where it is not what is usual."""
    certificate = certify("mine", {}, ManualExecutor(), PASSED, 1.0, demands=Demands(load=20))
    assert certificate.asked["load"] == 20 and certificate.asked["patience"] == Demands().patience
    assert "asked: load 20" in list(certificate.lines())
    assert not any(line.startswith("asked") for line in certified(Parallel()).lines())


def test_only_what_failed_need_run_again(tmp_path: Path) -> None:
    """Also what was not run for lack of patience; a certificate of something else, or of a part, is of no use."""
    first, second, third, *_ = PASSED
    outcomes = {
        first: Outcome("failed", "why"),
        second: Outcome("skipped", "not run: the executor …"),
        third: Outcome("skipped", "does not declare `parallel`"),
    }
    file = tmp_path / "certificate.json"
    write(certified(Parallel(), **outcomes), file)
    known = proven_before(file, certified(Parallel()))
    assert set(PASSED) - set(known) == {first, second}
    assert known[third] == outcomes[third] and known[list(PASSED)[-1]].state == "passed"
    with pytest.raises(UsageError, match="of another options"):
        proven_before(file, certify("mine", {}, Parallel(), {}, 0.0))
    write(certify("mine", {"width": "2"}, Parallel(), {first: Outcome("passed")}, 0.0), file)
    with pytest.raises(UsageError, match="of a part of the suite"):
        proven_before(file, certified(Parallel()))
    file.write_text("{}")
    with pytest.raises(UsageError, match="cannot be read as a certificate"):
        proven_before(file, certified(Parallel()))

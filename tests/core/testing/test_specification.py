"""The page of the rules: each check has one, under a heading that failures name, and each capability has its proofs."""

from turgo.executor import CAPABILITIES
from turgo.testing import ExecutorConformance
from turgo.testing.specification import capability_checks, groups, page, rules


def test_every_check_has_a_rule_in_words() -> None:
    """No check of the suite is left out of the page."""
    checks = {name for name in dir(ExecutorConformance) if name.startswith("test_")}
    assert {rule.check for rule in rules()} == checks
    assert all(rule.text and not rule.text.endswith(".") for rule in rules())


def test_every_rule_has_a_heading_of_its_own() -> None:
    """A failure leads to one place."""
    headings = [rule.heading for rule in rules()]
    assert len(set(headings)) == len(headings)
    assert all(f"### {heading}\n" in page() for heading in headings)


def test_every_capability_is_proven_by_a_check() -> None:
    """And the table links to it."""
    for capability in CAPABILITIES:
        proofs = capability_checks(capability)
        assert proofs, capability
        assert all(f"(#{check.removeprefix('test_').replace('_', '-')})" in page() for check in proofs)


def test_the_groups_come_in_the_order_in_which_they_run() -> None:
    """Each once, with its own rules."""
    found = [group for group, _ in groups()]
    order = [group for group in reversed(ExecutorConformance.__mro__) if group in found]
    assert found == order and len(set(found)) == len(found)

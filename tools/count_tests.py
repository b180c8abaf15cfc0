"""Add up the JUnit reports in a folder and print the one line `N passed, N failed, N skipped`.

A report `NAME.again.xml` is of the tests that failed in `NAME.xml` and ran once more: those that passed then count as
passed, and are named. With `--few FILE`, fail if more than a handful of tests failed in one report.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

FEW = 3
"""So many tests that fail may have been unlucky; more of them have a cause."""


def counts(report: Path) -> tuple[int, int, int]:
    """Passed, failed (errors among them) and skipped tests of one report."""
    passed = failed = skipped = 0
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        bad = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
        left_out = int(suite.get("skipped", 0))
        passed += int(suite.get("tests", 0)) - bad - left_out
        failed += bad
        skipped += left_out
    return passed, failed, skipped


def names(report: Path, *, failed: bool) -> set[str]:
    """The tests of a report that failed, or those that passed."""
    found = set()
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        bad = case.find("failure") is not None or case.find("error") is not None
        if bad == failed and case.find("skipped") is None:
            found.add(f"{case.get('classname')}.{case.get('name')}")
    return found


def main(folder: str) -> None:
    """Print the sum over every report in `folder`; a job that ended before pytest ran has none."""
    reports = sorted(each for each in Path(folder).glob("*.xml") if not each.name.endswith(".again.xml"))
    passed, failed, skipped = (sum(column) for column in zip((0, 0, 0), *map(counts, reports), strict=True))
    for report in reports:
        again = report.with_suffix(".again.xml")
        if again.exists():
            unsteady = names(report, failed=True) & names(again, failed=False)
            passed, failed = passed + len(unsteady), failed - len(unsteady)
            for name in sorted(unsteady):
                print(
                    f"unsteady, to be mended: {name} failed in {report.stem}, and passed when it ran once more"
                )
    print(f"{passed} passed, {failed} failed, {skipped} skipped")


if __name__ == "__main__":
    if sys.argv[1] == "--few":
        report = Path(sys.argv[2])
        sys.exit(not (report.exists() and 0 < len(names(report, failed=True)) <= FEW))
    main(sys.argv[1])

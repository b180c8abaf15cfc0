"""Count the modules that a run of one task enters, and how often it changes from one to another.

    flow.run(executor="local")          runner > config.load > registry.resolve > … > runner
                                        modules: how many there are in the list
                                        changes: how many arrows

A reader who follows a run opens as many files, and turns from one to another as often. What is counted is the calls of
functions of turgo and its plugins in the thread that runs the flow, at the second run of a process, as the first also
imports. `--path` prints every step, `--modules` how often each module is entered.
"""

import sys
from collections import Counter
from itertools import groupby
from types import FrameType

from turgo import flow, task

OWN = ("turgo", "turgo_local")


@task
def double(number: int) -> int:
    """Return twice the number."""
    return 2 * number


@flow
def doubled(number: int) -> object:
    """One task."""
    return double(number)


def steps() -> list[str]:
    """The module of each call of a function of ours in one run, repeats in a row left out."""
    calls: list[str] = []

    def note(frame: FrameType, event: str, _argument: object) -> None:
        module = frame.f_globals.get("__name__", "")
        if event == "call" and module.partition(".")[0] in OWN:
            calls.append(module)

    doubled.run(1, executor="local")
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        doubled.run(1, executor="local")
    finally:
        sys.setprofile(before)
    return [module for module, _ in groupby(calls)]


def main(options: list[str]) -> None:
    """Print the two numbers, after the path or the modules where an option asks for them."""
    path = steps()
    if "--path" in options:
        print("\n".join(path))
    if "--modules" in options:
        for module, entered in Counter(path).most_common():
            print(f"{entered:4} {module}")
    print(f"modules: {len(set(path))}, changes: {len(path) - 1}")


if __name__ == "__main__":
    main(sys.argv[1:])

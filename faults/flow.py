"""The program of one run: a flow that `plan.json` beside it describes. Each call writes down that it begins and ends.

    turgo run flow.py          or          python flow.py

It is copied into the folder of the run, and is the user's own code there: it knows nothing of the campaign.
"""

import contextlib
import ctypes
import json
import logging
import os
import subprocess
import sys
import time
import zlib
from pathlib import Path

from turgo import case, flow, get_executor, merge, task
from turgo.errors import ExecutorStartError, TurgoError, UsageError
from turgo.records.task_run import NoValue

MODULUS = 1_000_003


def note(call, word):
    """Write one line, with the time that all processes have; lines of several processes stay whole."""
    line = json.dumps([word, call["key"], os.getpid(), time.monotonic()]) + "\n"
    file = os.open(call["folder"] + "/calls", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def execution(call):
    """Which execution of this call it is, from 1."""
    for number in range(1, 1000):
        try:
            os.mkdir(f"{call['folder']}/once/{call['key']}-{number}")
        except FileExistsError:
            continue
        return number
    raise AssertionError("a thousand executions")


def number(value):
    """What counts of a value, of lists too."""
    if isinstance(value, (list, tuple)):
        return sum(map(number, value))
    if isinstance(value, dict):
        return value["number"]
    return value or 0


def ends(call, code):
    """End this worker."""
    note(call, "lost")
    os._exit(code)


def allocates(call, megabytes):
    """Take so much memory, and keep it."""
    note(call, "lost")
    held = [bytearray(os.urandom(1 << 10)) * (10 << 10) for _ in range(megabytes // 10)]
    time.sleep(20)
    del held


def forks(call, how):
    """Fork a child that comes back: by a value, an error or an exit."""
    if os.fork() == 0:
        note(call, "child")
        time.sleep(0.2)
        if how == 1:
            raise ValueError("in the child")
        if how == 2:
            sys.exit(0)


def starts(call, _):
    """Start a program, and leave it."""
    child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    note({**call, "key": str(child.pid)}, "started")
    child.returncode = 0  # nobody is to complain that it runs


def logs(call, lines):
    """Log so many lines."""
    for line in range(lines):
        logging.getLogger("flood").warning("line %d of %s", line, call["key"])


def prints(_, lines):
    """Print so many."""
    for _ in range(lines):
        print("x" * 1000)


def waits(call, seconds):
    """Wait in C, where no error can be raised."""
    note(call, "lost")
    ctypes.CDLL(None).sleep(seconds)


def fails(call, _):
    """Raise an error."""
    raise ValueError(f"{call['key']} fails")


def fails_oddly(call, _):
    """Raise one that cannot be pickled."""
    error = ValueError(f"{call['key']} fails")
    error.odd = lambda: None
    raise error


def swallows(_, __):
    """Let nobody hear of a Ctrl-C."""
    with contextlib.suppress(KeyboardInterrupt):
        time.sleep(0.5)


class Finalized:
    """What takes its time to go away, and hears nothing meanwhile."""

    def __del__(self):
        """An error that is raised here is lost."""
        time.sleep(0.5)


def finalizes(_, __):
    """Let a Ctrl-C come while something is finalized."""
    Finalized()


ACTS = {
    "exit": ends,
    "allocate": allocates,
    "fork": forks,
    "start": starts,
    "log": logs,
    "print": prints,
    "wait": waits,
    "fail": fails,
    "odd error": fails_oddly,
    "swallow": swallows,
    "finalize": finalizes,
}


@task
def step(call, first=None, second=None):
    """The value of a call is known beforehand, by its key and its inputs."""
    count = execution(call)
    note(call, "begin")
    time.sleep(call["seconds"])
    if call["act"]:
        name, amount, first_only = call["act"]
        if count == 1 or not first_only:
            ACTS[name](call, amount)
    if count <= call["fails"]:
        note(call, "fail")
        raise ConnectionError(f"{call['key']} fails for the {count}. time")
    value = (zlib.crc32(call["key"].encode()) + number(first) + number(second)) % call["modulus"]
    note(call, "end")
    return {"number": value, "padding": bytes(call["size"])} if call["size"] else value


def node(spec, made):
    """Record one node of the plan; gives its result."""
    how = step.with_options(name=spec["name"], **spec["options"])
    calls, inputs = spec["calls"], [made[name] for name in spec["inputs"]]
    if spec["kind"] == "map":
        return how.map(calls, *inputs)
    if spec["kind"] == "chain":
        value = inputs[0] if inputs else None
        for call in calls:
            value = how(call, value)
        return value
    if spec["kind"] == "branch":
        with case(how(calls[0], inputs[0]), 0):
            even = how(calls[1], inputs[0])
        with case(how(calls[2], inputs[0]), 1):
            odd = how(calls[3], inputs[0])
        return merge(even, odd, -1)
    return how(calls[0], inputs)


@flow
def faulty():
    """The nodes in their order; returned are those that the plan names."""
    plan, made = json.loads(Path(__file__).with_name("plan.json").read_text()), {}
    for spec in plan["nodes"]:
        made[spec["name"]] = node(spec, made)
    return {name: made[name] for name in plan["returned"]}


def plain(value):
    """It as JSON has it; what is not there is None."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    return None if isinstance(value, NoValue) else value


def main():
    """Run it as a script; the exit codes are those of `turgo run`."""
    if os.environ.get("LOUD"):
        logging.basicConfig(level=logging.INFO)
    here = os.getpid()
    try:
        Path(__file__).with_name("entered").touch()
        run = faulty.run(executor=get_executor())
    except KeyboardInterrupt:
        sys.exit(130)
    except TurgoError as error:
        print(error, file=sys.stderr)
        sys.exit(2 if isinstance(error, (UsageError, ExecutorStartError)) else 1)
    if os.getpid() != here:
        os._exit(1)
    if not run.ok:
        Path(__file__).with_name("partial.json").write_text(json.dumps(plain(run.partial)))
        print(run.error, file=sys.stderr)
        sys.exit(1)
    print(run.result)


if __name__ == "__main__":
    main()

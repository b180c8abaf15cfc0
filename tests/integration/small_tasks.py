"""Tasks that several modules of tests put their flows together from. As a file that is loaded it travels by value."""

import time

from turgo import task


@task
def same(value):
    return value


@task
def add(first, second=0):
    return first + second


@task
def plus(number, more=1):
    return number + more


@task
def upto(count):
    return list(range(count))


@task
def total(values):
    return sum(values)


@task
def nap(seconds):
    time.sleep(seconds)
    return seconds


def note(path, text):
    """One line in a file, written at once, from whichever process."""
    with open(path, "ab", buffering=0) as file:
        file.write(f"{text}\n".encode())

"""Inputs as nobody wrote them: real ones with a few changes, and texts of the pieces that real ones are made of.

`@fuzzed(strategy)` gives a test many of them. FUZZ_EXAMPLES says how many: `make fuzz FUZZ_EXAMPLES=100000`.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turgo.errors import TurgoError, UsageError

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "50"))
"""How many inputs a test gets; one that reads and writes files of its own for each gets a fifth."""

SHORT = "FUZZ_EXAMPLES" not in os.environ
"""Whether they are always the same ones, as in CI."""

SLOW_SHARE = 5

QUICK_SHARE = 75
"""How many times as many inputs a test gets by seeds alone in the long form, if all of them are made of real ones."""

Maker = Callable[[Random], Any]

makers: dict[int, Maker] = {}
"""By the id of a strategy, what makes the same kind of inputs at less cost."""

SENTENCE_CHARACTERS = 30_000
"""How long a message about an input may be, which may quote it."""

START = int.from_bytes(os.urandom(4))
"""What all seeds of this process begin with."""

kept: list[Any] = []
"""The strategies of `makers`, so that their ids stay theirs."""

counts: Counter[str] = Counter()
"""Of each test, how many inputs it had."""

CHANGES = ("flip", "cut", "put in", "double", "end")

WILD = st.text(st.characters(codec=None), max_size=30)
"""Any text, with NUL, lone surrogates and what steers a terminal."""


def fuzzed(*strategies: st.SearchStrategy[Any], slow: bool = False) -> Callable[[Any], Any]:
    """Run a test with many inputs, one drawn from each strategy, as its last arguments."""

    def decorate(test: Callable[..., None]) -> Any:
        name = f"{test.__module__.rpartition('.')[2]}.{test.__name__}"
        names = test.__code__.co_varnames[: test.__code__.co_argcount][-len(strategies) :]

        @functools.wraps(test)
        def counted(*args: Any, **kwargs: Any) -> None:
            counts[name] += 1
            test(*args, **kwargs)

        run = settings(
            max_examples=max(10, EXAMPLES // SLOW_SHARE) if slow else EXAMPLES,
            derandomize=SHORT,
            database=None,
            deadline=None,
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        )
        drawn = run(given(**dict(zip(names, strategies, strict=True)))(counted))
        if SHORT or slow or not all(id(each) in makers for each in strategies):
            return drawn
        made = [(name, makers[id(each)]) for name, each in zip(names, strategies, strict=True)]

        @functools.wraps(drawn)
        def both(*args: Any, **kwargs: Any) -> None:
            drawn(*args, **kwargs)
            for seed in range(EXAMPLES * QUICK_SHARE):
                values = {name: make(Random(f"{START}-{seed}")) for name, make in made}
                try:
                    counted(*args, **kwargs, **values)
                except BaseException as error:
                    error.add_note(f"the input was {values!r}")
                    raise

        both.__signature__ = inspect.signature(drawn)  # type: ignore[attr-defined]
        return both

    return decorate


class Planted:
    """Whoever unpickles it runs code. ran: whether somebody has."""

    ran = False

    def __reduce__(self) -> Any:
        return (_run, ())


def _run() -> None:
    Planted.ran = True


@contextmanager
def refused_or_taken(*, kind: type[TurgoError] = UsageError) -> Iterator[None]:
    """What is done inside goes well, or is refused with one sentence; any other error is a fault of turgo's."""
    try:
        yield
    except kind as error:
        said = str(error)
        assert said.strip() and len(said) < SENTENCE_CHARACTERS and "Traceback" not in said, said
        assert len(said.splitlines()) == 1, said


def mutated(samples: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Bytes of a real message or file, with a few changes."""
    return _made(lambda random: mutation(random, samples))


def mutated_text(samples: Sequence[str], pieces: Sequence[str]) -> st.SearchStrategy[str]:
    """A real text with pieces of others, or anything, put into it or in the place of a part."""
    return _made(lambda random: text_mutation(random, samples, pieces))


def _made(make: Maker) -> st.SearchStrategy[Any]:
    strategy = st.builds(lambda seed: make(Random(seed)), st.integers(0, 2**64))
    makers[id(strategy)] = make
    kept.append(strategy)
    return strategy


def mutation(random: Random, samples: Sequence[bytes]) -> bytes:
    """Bytes of a real one, with one to four changes."""
    data = bytearray(random.choice(samples))
    for _ in range(random.randint(1, 4)):
        change, at = random.choice(CHANGES), random.randint(0, max(0, len(data) - 1))
        if change == "flip" and data:
            data[at] = random.randint(0, 255)
        elif change == "cut":
            del data[at : at + random.randint(1, 64)]
        elif change == "end":
            del data[at:]
        else:
            data[at:at] = (
                random.randbytes(random.randint(1, 16)) if change == "put in" else data[at : at + 64]
            )
    return bytes(data)


def text_mutation(random: Random, samples: Sequence[str], pieces: Sequence[str]) -> str:
    """A real text, with one to four changes."""
    text = random.choice(samples)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, len(text))
        end = min(len(text), at + random.choice((0, 0, 1, 3, 10)))
        wild = "".join(
            chr(random.choice((random.randrange(256), random.randrange(0x110000)))) for _ in range(3)
        )
        text = text[:at] + random.choice((*pieces, wild)) + text[end:]
    return text


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    WILD,
    st.binary(max_size=20),
)

ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(st.one_of(SCALARS, st.just("key")), inner, max_size=4),
    ),
    max_leaves=8,
)
"""Any value of builtins, nested."""


def replaced(value: Any, choose: Callable[[st.SearchStrategy[Any]], Any], depth: int = 0) -> Any:
    """A nested value with one part of it replaced by anything."""
    parts = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if is_nest(value) else []
    )
    if not parts or depth > 4 or choose(st.integers(0, 2 + depth)) == 0:
        return choose(ANYTHING)
    at, part = parts[choose(st.integers(0, len(parts) - 1))]
    new = replaced(part, choose, depth + 1)
    if isinstance(value, dict):
        return {**value, at: new}
    made = [*value[:at], new, *value[at + 1 :]]
    return made if isinstance(value, list) else tuple(made)


def is_nest(value: Any) -> bool:
    """Whether it is a list, or a tuple of any kind."""
    return isinstance(value, (list, tuple))


def with_a_part_replaced(samples: Sequence[Any]) -> st.SearchStrategy[Any]:
    """A real value of builtins, one part of which is something else."""

    @st.composite
    def strategy(draw: st.DrawFn) -> Any:
        return replaced(draw(st.sampled_from(samples)), draw)

    return strategy()

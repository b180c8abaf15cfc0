"""The conformance suite checks the contract of an executor. Its checks are tests that pytest runs.

The groups can be read as its specification, each in a module of its own under `turgo.testing.groups`.
"""

from __future__ import annotations

from turgo.testing.groups.cancellation import Cancellation
from turgo.testing.groups.concurrency import Concurrency
from turgo.testing.groups.declared import Declared
from turgo.testing.groups.errors import Errors
from turgo.testing.groups.extras import Extras
from turgo.testing.groups.features import Features
from turgo.testing.groups.flows import Flows
from turgo.testing.groups.hints import Hints
from turgo.testing.groups.leaks import Leaks
from turgo.testing.groups.lifecycle import Lifecycle
from turgo.testing.groups.load import Load
from turgo.testing.groups.mapping import Mapping
from turgo.testing.groups.nested_futures import NestedFutures
from turgo.testing.groups.pickles import Pickles
from turgo.testing.groups.pool import Pool
from turgo.testing.groups.pool_rules import PoolRules
from turgo.testing.groups.results import Results
from turgo.testing.groups.shutdown import Shutdown
from turgo.testing.groups.sizes import Sizes
from turgo.testing.groups.strictness import Strictness
from turgo.testing.groups.submission import Submission
from turgo.testing.groups.trouble import Trouble
from turgo.testing.groups.undeclared import Undeclared
from turgo.testing.groups.wait import Wait


class ExecutorConformance(
    Trouble,
    Features,
    Flows,
    Undeclared,
    Declared,
    Extras,
    Load,
    Leaks,
    Strictness,
    Concurrency,
    Pickles,
    PoolRules,
    Pool,
    Cancellation,
    Mapping,
    Wait,
    Sizes,
    Errors,
    Results,
    NestedFutures,
    Hints,
    Submission,
    Shutdown,
    Lifecycle,
):
    """Subclass it, say which executor, and let pytest collect it.

        class TestMine(ExecutorConformance):
            executor = "mine"
            executor_options = {"workers": 2}

    pytest runs the groups from the last base class to the first: from the life cycle to whole flows in trouble.
    """

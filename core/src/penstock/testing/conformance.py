"""The conformance suite: the contract of an executor as checks that pytest runs.

The groups can be read as its specification, each in a module of its own under `penstock.testing.groups`.
"""

from __future__ import annotations

from penstock.testing.groups.cancelling import Cancelling
from penstock.testing.groups.concurrency import Concurrency
from penstock.testing.groups.errors import Errors
from penstock.testing.groups.features import Features
from penstock.testing.groups.flows import Flows
from penstock.testing.groups.hints import Hints
from penstock.testing.groups.leaving import Leaving
from penstock.testing.groups.lifecycle import Lifecycle
from penstock.testing.groups.limits import Limits
from penstock.testing.groups.load import Load
from penstock.testing.groups.mapping import Mapping
from penstock.testing.groups.nesting import Nesting
from penstock.testing.groups.pickling import Pickling
from penstock.testing.groups.pool import Pool
from penstock.testing.groups.poolrules import PoolRules
from penstock.testing.groups.proofs import Proofs
from penstock.testing.groups.results import Results
from penstock.testing.groups.sizes import Sizes
from penstock.testing.groups.submission import Submission
from penstock.testing.groups.trouble import Trouble
from penstock.testing.groups.waiting import Waiting


class ExecutorConformance(
    Trouble,
    Features,
    Flows,
    Limits,
    Proofs,
    Load,
    Concurrency,
    Pickling,
    PoolRules,
    Pool,
    Cancelling,
    Mapping,
    Waiting,
    Sizes,
    Errors,
    Results,
    Nesting,
    Hints,
    Submission,
    Leaving,
    Lifecycle,
):
    """Subclass it, say which executor, and let pytest collect it.

        class TestMine(ExecutorConformance):
            executor = "mine"
            executor_options = {"workers": 2}

    pytest runs the groups from the last base class to the first: from the life cycle to whole flows in trouble.
    """

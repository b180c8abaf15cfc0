"""Which executors offer what a flow requires: as they are set here, not as they are by default."""

from typing import Any

from turgo.registry.offers import executors_that_offer

CHOOSY = """
from turgo import Executor

class Choosy(Executor):
    def __init__(self, *, gpus: int = 0):
        self.gpus = gpus

    @property
    def capabilities(self):
        return frozenset({"resources"} if self.gpus else ())

    def offers(self, requirement):
        return super().offers(requirement) and requirement in ("resources", "resources:GPU")

    def submit(self, fn, /, *args, extra_context=None, **kwargs):
        raise NotImplementedError
"""


def choosy(site: Any) -> None:
    """Install a plugin whose capabilities follow from its options."""
    plugin = (
        "from turgo.executor import ExecutorSpec\nfrom turgo.hooks import hookimpl\n@hookimpl\n"
        "def turgo_executors(): yield ExecutorSpec(name='choosy', target='choosy_executor:Choosy')"
    )
    site.install("choosy", {"choosy.py": plugin, "choosy_executor.py": CHOOSY}, {"choosy": "choosy"})


def test_the_options_decide_and_not_the_defaults(site: Any, registry: Any) -> None:
    """A profile that sets what it takes is named; the plugin by itself, which would not do, is not."""
    choosy(site)
    made = registry('[executors.big]\nuse = "choosy"\ngpus = 2\n[executors.small]\nuse = "choosy"')
    assert executors_that_offer({"resources:GPU"}, made) == ["big"]
    assert executors_that_offer({"resources:TPU"}, made) == []


def test_a_profile_that_has_the_name_of_its_plugin_stands_for_it(site: Any, registry: Any) -> None:
    """It is named once."""
    choosy(site)
    assert executors_that_offer({"resources"}, registry("[executors.choosy]\ngpus = 1")) == ["choosy"]


def test_what_cannot_be_made_offers_nothing(site: Any, registry: Any) -> None:
    """A broken plugin, a class that exits on import and a profile of wrong options are no remedy, and no error."""
    choosy(site)
    site.install("oar", {"oar.py": "import no_such_thing"}, {"oar": "oar"})
    plugin = (
        "from turgo.executor import ExecutorSpec\nfrom turgo.hooks import hookimpl\n@hookimpl\n"
        "def turgo_executors(): yield ExecutorSpec(name='quits', target='quitting:Quits')"
    )
    site.install("quits", {"quits.py": plugin, "quitting.py": "raise SystemExit(3)"}, {"quits": "quits"})
    made = registry(
        '[executors.wrong]\nuse = "choosy"\ngpus = "many"\n[executors.right]\nuse = "choosy"\ngpus = 1'
    )
    assert executors_that_offer({"resources"}, made) == ["right"]

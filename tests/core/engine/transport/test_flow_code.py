"""Which modules belong to a flow."""

import json
import sys

import pytest

from turgo import task
from turgo.engine.transport.flow_code import FlowCode
from turgo.worker.functions import flattened


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with a module that holds a task, one beside it, a package, and one without `__init__.py`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "own_tasks.py").write_text(
        "import own_beside, own_package.part, own_plain.part\nfrom turgo import task\n@task\ndef one(): return 1\n"
    )
    (tmp_path / "own_beside.py").touch()
    for package in ("own_package", "own_plain"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "part.py").touch()
    (tmp_path / "own_package" / "__init__.py").touch()
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_all_that_lies_beside_a_task_belongs_to_the_flow(project):
    """Modules, packages and folders without `__init__.py`; not what is installed."""
    import own_tasks

    own = FlowCode([own_tasks.one]).modules
    expected = {"own_tasks", "own_beside", "own_package", "own_package.part", "own_plain", "own_plain.part"}
    assert expected <= own.keys() and not {"turgo", "json", "pytest", "cloudpickle"} & own.keys()


def test_what_is_imported_later_belongs_as_well(project):
    """A module may be imported while the flow runs."""
    import own_tasks

    own = FlowCode([own_tasks.one])
    assert "own_later" not in own.modules
    (project / "own_later.py").touch()
    import own_later

    assert own.modules["own_later"] is own_later


def test_a_task_of_an_installed_function_has_no_modules():
    """Of the standard library, or of turgo."""
    assert not FlowCode([task(json.dumps), task(flattened)]).modules.keys() & {"json", "turgo"}

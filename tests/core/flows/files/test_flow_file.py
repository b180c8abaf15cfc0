"""Flow files: `FILE` and `FILE:FLOW`."""

import os
import sys

import pytest

from turgo.errors import FlowFileError, TaskPolicyError
from turgo.flows.files.flow_file import load_flow

pytestmark = pytest.mark.usefixtures("inline_as_local")

ONE = """
from turgo import flow, task

@task
def one(): return 1

@flow
def first(): return one()
"""
TWO = (
    ONE
    + """
@flow
def second(): return one()
"""
)


@pytest.fixture
def write(tmp_path, monkeypatch):
    """Write a file into the current folder; what it made importable is forgotten after the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def writing(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    before = set(sys.modules)
    yield writing
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_the_only_flow_of_a_file_need_not_be_named(write):
    """By a relative and by an absolute path."""
    file = write("flows.py", ONE)
    assert load_flow(file).name == "first"
    assert load_flow(f"{file}:first").run(executor="local").result == 1


def test_several_flows_have_to_be_named(write):
    """The message lists what to write."""
    file = write("two.py", TWO)
    with pytest.raises(FlowFileError, match=r"2 flows; say which one: two.py:first, two.py:second"):
        load_flow(file)
    assert load_flow(f"{file}:second").name == "second"


def test_an_unknown_flow_is_told_with_the_nearest(write):
    """And with what the file holds."""
    with pytest.raises(
        FlowFileError, match=r"no flow 'secnd': it holds first, second; did you mean 'second'\?"
    ):
        load_flow(write("two.py", TWO) + ":secnd")


def test_a_file_without_flows_is_told(write):
    """Named or not."""
    file = write("none.py", "x = 1")
    with pytest.raises(FlowFileError, match="holds no flow"):
        load_flow(file)
    with pytest.raises(FlowFileError, match="it holds no flow at all"):
        load_flow(f"{file}:x")


def test_a_flow_of_a_class_is_one_of_the_file_once_an_instance_has_it(write):
    """Until then it is told how that is written."""
    shelf = "from turgo import flow\n\nclass Shelf:\n    @flow\n    def prices(self):\n        return ()\n"
    with pytest.raises(FlowFileError, match=r"Shelf.prices is one of a class.*: prices = Shelf\(…\).prices$"):
        load_flow(write("shelf.py", shelf))
    assert load_flow(write("shop.py", f"{shelf}\nprices = Shelf().prices\n")).name == "prices"


def test_a_file_that_is_not_there_or_no_python_is_told(write):
    """With the nearest that is there."""
    write("census.py", ONE)
    with pytest.raises(FlowFileError, match=r"no file cenus.py; did you mean census.py\?"):
        load_flow("cenus.py")
    with pytest.raises(FlowFileError, match=r"must end in \.py"):
        load_flow(write("census.txt", ONE))
    with pytest.raises(FlowFileError, match="no file"):
        load_flow("nowhere/at/all.py:x")


@pytest.mark.parametrize("text", ["import nothing_like_it", "1 / 0", "raise SystemExit(3)", "def broken(:"])
def test_a_file_that_fails_shows_the_users_traceback(write, text):
    """From its own first frame on, with nothing of what led there."""
    with pytest.raises(FlowFileError, match="fails on import") as caught:
        load_flow(write("fails.py", f"x = 1\n{text}\n"))
    told = str(caught.value)
    assert "line 2" in told and "fails.py" in told and "importlib" not in told and "sources.py" not in told
    assert "fails" not in "".join(name for name in sys.modules if name.startswith("turgo_file_fails"))


def test_an_error_of_the_flow_itself_comes_through(write):
    """It says already what is wrong."""
    with pytest.raises(TaskPolicyError):
        load_flow(write("policy.py", "from turgo import task\n@task(retries=-1)\ndef x(): pass\n"))


def test_the_folder_of_the_file_is_importable_and_imported_flows_do_not_count(write):
    """As for a script; flows of the file itself go before those that it imports."""
    write("beside.py", TWO)
    file = write(
        "main.py", "from beside import first\nfrom turgo import flow\n@flow\ndef mine(): return first()\n"
    )
    assert load_flow(file).name == "mine"
    assert load_flow(write("only.py", "from beside import first\n")).name == "first"


def test_a_file_hides_no_module(write):
    """`json.py` is loaded under a name of its own."""
    import json

    assert load_flow(write("json.py", ONE)).name == "first"
    assert sys.modules["json"] is json


def test_what_others_import_is_not_looked_for_beside_such_a_file(write, tmp_path):
    """Its folder comes last, so that processes with this path get Python's own module; that of another file first."""
    import random

    write("random.py", ONE)
    load_flow("random.py")
    assert sys.path[-1] == str(tmp_path) and sys.modules["random"] is random
    sys.path.remove(str(tmp_path))
    load_flow(write("census.py", ONE))
    assert sys.path[0] == str(tmp_path)


def test_a_package_that_is_installed_as_well_is_that_beside_the_file(write, tmp_path):
    """Who works on it runs its flow from the checkout; a single file of an installed name comes last."""
    for folder, price in (("site-packages/shop", 1), ("checkout/shop", 2)):
        (tmp_path / folder).mkdir(parents=True)
        write(f"{folder}/__init__.py", "")
        write(f"{folder}/prices.py", f"price = {price}")
    sys.path.append(str(tmp_path / "site-packages"))
    write(
        "checkout/shop/flows.py", f"from shop.prices import price\n{ONE.replace('return 1', 'return price')}"
    )
    assert load_flow("checkout/shop/flows.py").run(executor="local").result == 2
    sys.path.remove(str(tmp_path / "checkout"))
    (tmp_path / "alone").mkdir()
    load_flow(write("alone/shop.py", ONE))
    assert sys.path[-1] == str(tmp_path / "alone")


def test_a_file_with_turgos_own_name_is_refused(write):
    """Processes that are started in that folder would import it."""
    with pytest.raises(FlowFileError, match=r"^turgo\.py hides turgo itself .*: rename it$"):
        load_flow(write("turgo.py", ONE))


@pytest.fixture
def package(write, tmp_path):
    """A package with flows in a module of a package, in the current folder."""
    (tmp_path / "reports" / "monthly").mkdir(parents=True)
    write("reports/__init__.py", "")
    write("reports/monthly/__init__.py", "from reports.monthly.flows import second")
    write("reports/monthly/flows.py", TWO)
    write("reports/bad.py", "import no_such_module")
    write("reports/slip.py", "from turgo import task\n@task(retries=-1)\ndef one(): return 1\n")
    return "reports.monthly"


def test_a_module_is_named_as_python_m_takes_it(package):
    """Its flows are those that an import finds; one from elsewhere counts if none is its own."""
    found = load_flow(f"{package}.flows:first")
    assert found.fn.__module__ == "reports.monthly.flows"
    assert found is sys.modules["reports.monthly.flows"].first
    assert load_flow(package).name == "second"
    with pytest.raises(FlowFileError, match=r"2 flows; say which one: reports.monthly.flows:first, "):
        load_flow(f"{package}.flows")


def test_a_module_that_is_missing_or_fails_is_told_like_a_file(package):
    """With the traceback from its own first line on; a mistake of ours in it has its place."""
    with pytest.raises(FlowFileError, match=r"no file reports.nope, and no module of that name$"):
        load_flow("reports.nope")
    with pytest.raises(FlowFileError, match=r"no module of that name$"):
        load_flow("reports.monthly.flows.deeper")
    with pytest.raises(
        FlowFileError, match=r"reports.bad fails on import:\nTraceback.*\n  File .*bad.py"
    ) as caught:
        load_flow("reports.bad")
    assert "importlib" not in str(caught.value)
    with pytest.raises(TaskPolicyError, match=r"slip.py, line 2: "):
        load_flow("reports.slip")


def test_a_package_that_exits_as_it_is_looked_into_is_told(package):
    """A module of it is asked for; it is no silent end."""
    os.mkdir("leaves")
    with open("leaves/__init__.py", "w", encoding="utf-8") as file:
        file.write("raise SystemExit(0)\n")
    with pytest.raises(FlowFileError, match=r"leaves\.work fails on import"):
        load_flow("leaves.work")


def test_a_file_goes_before_a_module_and_a_near_file_is_named(write):
    """`flows` is what an import finds, `flows.py` the file."""
    write("plain.py", ONE)
    assert load_flow("plain").name == "first"
    with pytest.raises(
        FlowFileError, match=r"no file plian, and no module of that name; did you mean plain.py\?"
    ):
        load_flow("plian")


@pytest.mark.parametrize(
    "name", ["a" * 300 + ".py", "nul\0.py", "a" * 300, "/".join(["b" * 100] * 50), "\ud800.py", ""]
)
def test_a_text_that_can_be_no_path_is_a_mistake(write, name):
    """It is told in one line, whatever the system says of it."""
    with pytest.raises(FlowFileError) as caught:
        load_flow(name)
    assert "Traceback" not in str(caught.value)


def test_what_is_no_file_is_not_opened(write, tmp_path):
    """A pipe would never end, and a loop of links leads nowhere."""
    os.mkfifo(tmp_path / "pipe.py")
    (tmp_path / "loop.py").symlink_to("loop.py")
    for name in ("pipe.py", "loop.py"):
        with pytest.raises(FlowFileError, match="there is no file"):
            load_flow(name)

"""Modules that were shipped to a worker."""

import sys
import zlib

import pytest

from turgo.worker.code import modules


def test_a_module_is_found_by_its_name_and_within_its_package(names):
    """Though neither is installed."""
    space = modules.namespace(
        "other", "shipped_package.shipped", {"__name__": "shipped_package.shipped"}, b""
    )
    import shipped_package.shipped

    assert vars(shipped_package.shipped) is space
    assert modules.module_of("other", "shipped_package.shipped", {}, b"") is shipped_package.shipped


def test_drivers_have_modules_of_their_own(names):
    """Of the same name; `import` finds the one that was used last."""
    one, other = (modules.namespace(owner, "shipped_twice", {}, b"") for owner in ("one", "other"))
    assert one is not other and vars(sys.modules["shipped_twice"]) is other


def test_a_package_has_the_modules_that_came_before_it(names):
    """Also where the package of another driver had its place until then."""
    modules.namespace("one", "shipped_parts", {}, b"")
    modules.namespace("one", "shipped_parts.late", {}, b"")
    late = modules.module_of("other", "shipped_parts.late", {}, b"")
    package = modules.module_of("other", "shipped_parts", {}, b"")
    import shipped_parts.late

    assert shipped_parts is package and shipped_parts.late is late


def test_what_was_not_shipped_is_imported_from_the_package_of_the_driver_that_asks(names, tmp_path):
    """Beside a module that was shipped alone, and not from where another driver's lies."""
    found = []
    for owner in ("one", "other"):
        folder = tmp_path / owner / "shipped_beside"
        folder.mkdir(parents=True)
        (folder / "late.py").write_text(f"OWNER = {owner!r}\n")
        facts = {
            "__name__": "shipped_beside",
            "__path__": [str(folder)],
            "__file__": str(folder / "__init__.py"),
        }
        modules.namespace(owner, "shipped_beside", facts, b"")
        import shipped_beside.late

        found.append(shipped_beside.late.OWNER)
    assert found == ["one", "other"]
    facts = {
        "__name__": "shipped_alone.part",
        "__file__": str(tmp_path / "one" / "shipped_beside" / "part.py"),
    }
    modules.namespace("one", "shipped_alone.part", facts, b"")
    import shipped_alone.late

    assert shipped_alone.late.OWNER == "one"


def test_what_was_not_shipped_is_taken_from_the_module_that_the_worker_has(names, tmp_path):
    """Whoever shares the cluster pickles by name, and finds what is there; also where the module was imported first."""
    for name in ("shipped_over", "shipped_first"):
        (tmp_path / f"{name}.py").write_text("def shipped(): return 'own'\ndef left(): return 'left'\n")
    sys.path.append(str(tmp_path))
    import shipped_first

    own = shipped_first.left
    for name in ("shipped_over", "shipped_first"):
        space = modules.namespace("other", name, {"__name__": name}, b"")
        modules.set_names(space, "run", {"shipped": len})
        module = sys.modules[name]
        assert vars(module) is space and module.shipped is len and module.left() == "left"
        assert module.left is module.left and not hasattr(module, "nowhere")
    assert sys.modules["shipped_first"].left is own


def test_a_module_that_the_worker_lacks_has_what_was_shipped_and_no_more(names):
    """The error is that of any module."""
    module = modules.module_of("other", "shipped_alone", {"__name__": "shipped_alone"}, b"")
    with pytest.raises(AttributeError, match="module 'shipped_alone' has no attribute 'left'"):
        module.left  # noqa: B018


def test_a_name_is_set_once_in_a_run_and_anew_in_the_next(names):
    """Two functions share what a module holds, and a later run brings the driver's present value."""
    space = modules.namespace("owner", "shipped_values", {}, b"")
    modules.set_names(space, "run-1", {"LOCK": "first"})
    modules.set_names(space, "run-1", {"LOCK": "second", "OTHER": 1})
    assert space["LOCK"] == "first" and space["OTHER"] == 1
    modules.set_names(space, "run-2", {"LOCK": "third"})
    assert space["LOCK"] == "third"


def test_the_driver_keeps_its_own_names(names):
    """Code that comes back to the process that has shipped it changes nothing there."""
    space = modules.namespace(modules.process_token(), __name__, {}, b"")
    assert space is globals()
    modules.set_names(space, "run", {"zlib": "changed"})
    assert space["zlib"] is zlib

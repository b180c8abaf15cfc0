"""What a notebook shows of a flow."""

from typing import Any, Literal

from turgo import flow, task


def test_a_flow_shows_its_parameters() -> None:
    """With types, defaults, the first paragraph of its docstring, and where it runs."""

    @flow(executor="dask", requires={"parallel"})
    def census(root: str, kind: Literal["quick", "<whole>"] = "quick", *rest: int, **more: Any) -> Any:
        """Counts the files
        of a folder.

        Not shown.
        """
        return task(int)()

    html = census._repr_html_()
    for part in ("flow census", "root", "str", "&lt;whole&gt;", "*rest", "**more", "of a folder.", "dask"):
        assert part in html
    assert "Not shown" not in html and "requires parallel" in html


def test_a_flow_shows_no_secret() -> None:
    """Neither a default of its own nor an option of its executor."""

    @flow(executor={"use": "dask", "cluster_kwargs": {"password": "hunter2"}})
    def census(password: str = "hunter2", url: str = "https://bob:hunter2@host") -> Any:
        return task(int)()

    html = census._repr_html_()
    assert "hunter2" not in html and "***" in html and "dask" in html


def test_a_flow_without_parameters_is_a_line() -> None:
    """No empty table."""

    @flow
    def alone() -> Any:
        return task(int)()

    assert "<td" not in alone._repr_html_() and "flow alone" in alone._repr_html_()

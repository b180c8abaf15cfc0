"""What is opened with an executor besides its cluster and its client."""

from __future__ import annotations

from pathlib import Path

import pytest

from turgo_dask import DaskExecutor

ONE = {"n_workers": 1, "threads_per_worker": 1, "processes": False}


def test_the_report_of_dask_is_written(tmp_path: Path) -> None:
    """To the path that was asked for."""
    pytest.importorskip("bokeh")
    path = tmp_path / "report.html"
    with DaskExecutor(cluster_kwargs=ONE, performance_report=str(path), debug=False).start() as executor:
        executor.wait(executor.map(abs, range(5)))
    assert "Dask Performance Report" in path.read_text("utf-8")

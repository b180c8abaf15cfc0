"""A folder for what the workers of a temporary local cluster spill, which goes with the cluster.

Distributed keeps one for all clusters of a machine, and leaves its own files in it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dask

PREFIX = "turgo-dask-scratch-space-"
"""How its name begins. Distributed makes another folder within one whose name does not say `dask-scratch-space`."""


@contextmanager
def scratch_folder(cluster_kwargs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The keywords of a LocalCluster with a folder of its own, unless its user has named one; removed on leaving."""
    options = dict(cluster_kwargs)
    if "local_directory" in options or dask.config.get("temporary-directory", None):
        yield options
        return
    folder = tempfile.mkdtemp(prefix=PREFIX)
    try:
        of_scheduler = {"local_directory": folder, **(options.get("scheduler_kwargs") or {})}
        yield {**options, "local_directory": folder, "scheduler_kwargs": of_scheduler}
    finally:
        shutil.rmtree(folder, ignore_errors=True)

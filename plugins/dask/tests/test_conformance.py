"""The executor keeps the contract on a temporary cluster with processes."""

from __future__ import annotations

from penstock.testing import ExecutorConformance


class TestDask(ExecutorConformance):
    """Every rule of the contract, on a temporary local cluster."""

    executor = "dask"
    executor_options = {  # noqa: RUF012  (read, never written)
        "cluster_kwargs": {"n_workers": 2, "threads_per_worker": 1},
        "debug": False,
    }
    failing_options = {  # noqa: RUF012  (read, never written)
        "address": "tcp://127.0.0.1:9",
        "client_kwargs": {"timeout": 1},
    }

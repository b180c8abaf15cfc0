"""A cluster object that is up: how far it is, and whose event loop it lives in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import distributed
import pytest

from turgo import flow, get_executor, task
from turgo.errors import ExecutorStartError
from turgo_dask import DaskExecutor


@task
def double(x: int) -> int:
    """Twice."""
    return 2 * x


@flow
def doubles(start: int, count: int) -> Any:
    """So many of them."""
    return double.map(range(start, start + count))


def test_a_cluster_that_was_asked_for_no_worker_says_so(start_error: Callable[..., str]) -> None:
    """Rather than wait in silence for what nobody asked for."""
    told = start_error(cluster_kwargs={"n_workers": 0, "processes": False}, start_timeout=3)
    assert "was asked for none" in told


def test_a_cluster_of_the_callers_own_event_loop() -> None:
    """From a thread it is used as any other; from the loop itself that would block both for ever, and is an error."""

    async def main() -> Any:
        options: dict[str, Any] = {"n_workers": 1, "processes": False, "dashboard_address": "127.0.0.1:0"}
        async with distributed.LocalCluster(asynchronous=True, silence_logs=50, **options) as cluster:
            executor = DaskExecutor(cluster_class=cluster, debug=False)
            with pytest.raises(ExecutorStartError, match="to_thread"):
                doubles.run(0, 3, executor=executor)
            return await asyncio.to_thread(doubles.run, 0, 3, executor=executor)

    assert asyncio.run(main()).result == [0, 2, 4]


@pytest.mark.parametrize("wrong", [False, True], ids=["with none", "with others"])
def test_strangers_are_turned_away_from_a_sealed_cluster(
    wrong: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file of settings asks for credentials by a word; who has none of that cluster's runs nothing in it."""
    pytest.importorskip("cryptography")
    options = "security = true\nstart_timeout = 200\ncluster_kwargs = { n_workers = 1, processes = false }\n"
    (tmp_path / "turgo.toml").write_text(
        f'executor = "sealed"\n\n[executors.sealed]\nuse = "dask"\n{options}'
    )
    monkeypatch.chdir(tmp_path)
    with get_executor().start() as executor:
        assert executor.submit(abs, -1).result() == 1
        address = executor._session.client.scheduler.address
        assert address.startswith("tls://127.0.0.1")
        others = distributed.Security.temporary() if wrong else None
        with pytest.raises(OSError):  # noqa: PT011  (each version of distributed words it differently)
            distributed.Client(
                address if wrong else address.replace("tls", "tcp", 1), security=others, timeout="3s"
            )
        assert executor.submit(abs, -2).result() == 2

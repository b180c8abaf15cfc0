"""The client stays private, and is quiet about what is our error."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import distributed
import pytest

from turgo.errors import ValueNotPortableError
from turgo_dask import DaskExecutor


class Stays:
    """Cannot be pickled; dask can give it a name all the same."""

    def __reduce__(self) -> Any:
        raise TypeError("it stays")

    def __dask_tokenize__(self) -> str:
        return "stays"


def test_no_default_client_is_left_or_made(cluster: DaskExecutor) -> None:
    """Dask collections of the driver compute as they did."""
    assert cluster.started
    with pytest.raises(ValueError, match="No global client"):
        distributed.get_client()


def test_the_client_is_as_its_keywords_say() -> None:
    """It becomes the default of the process only if that is asked for, and has its name."""
    options: dict[str, Any] = {"cluster_kwargs": {"n_workers": 1, "processes": False}, "debug": False}
    with DaskExecutor(client_kwargs={"set_as_default": True, "name": "mine"}, **options).start():
        assert "-mine-" in distributed.get_client().id
    with pytest.raises(ValueError, match="No global client"):
        distributed.get_client()


def test_a_large_argument_is_no_warning_and_that_of_others_is(foreign: Any) -> None:
    """Distributed's warning of large graphs is silenced for our calls alone."""
    data = bytes(12_000_000)
    with (
        DaskExecutor(address=foreign.address, debug=False).start() as executor,
        distributed.Client(foreign.address, set_as_default=False) as other,
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert executor.submit(len, data).result() == len(data)
        with pytest.warns(UserWarning, match="Sending large graph"):
            assert other.submit(len, data).result() == len(data)


def test_a_call_that_does_not_pickle_is_told_of_once(foreign: Any, said: list[str]) -> None:
    """By its error, and not by distributed's log as well, which it is for other clients, and for all afterwards."""
    logger = logging.getLogger("distributed.protocol.pickle")
    filters = list(logger.filters)
    with (
        DaskExecutor(address=foreign.address, debug=False).start() as executor,
        distributed.Client(foreign.address, set_as_default=False) as other,
    ):
        assert isinstance(executor.submit(id, Stays()).exception(), ValueNotPortableError)
        assert said == []
        with pytest.raises(TypeError):
            other.submit(id, Stays())
        assert len(said) == 1 and "Failed to serialize" in said[0]
    assert logger.filters == filters


async def _loses_a_value() -> None:
    logging.getLogger("distributed.client").warning("Couldn't gather %s keys, rescheduling %s", 1, ("a",))


def test_a_value_that_was_lost_with_its_worker_is_no_line_of_the_log(foreign: Any) -> None:
    """The engine makes it again, and tells of the loss itself; other clients say theirs."""
    said: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: said.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("distributed.client")
    with (
        DaskExecutor(address=foreign.address, debug=False).start() as executor,
        distributed.Client(foreign.address, set_as_default=False) as other,
    ):
        logger.addHandler(handler)
        try:
            executor._session.client.sync(_loses_a_value)
            assert said == []
            other.sync(_loses_a_value)
            assert len(said) == 1
        finally:
            logger.removeHandler(handler)

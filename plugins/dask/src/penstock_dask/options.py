"""The options of a DaskExecutor: what fits together, and what stands in for what was not given."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.config
import distributed
from dask.utils import parse_timedelta
from distributed.deploy import Cluster

from penstock.errors import OptionError
from penstock_dask.cluster import is_local
from penstock_dask.finding import check_keywords, find_class
from penstock_dask.plugin import NAME

if TYPE_CHECKING:
    from penstock_dask.executor import DaskExecutor

WHERE = ("address", "scheduler_file")

LONGEST = 366 * 24 * 3600
"""Seconds, the most that an option may say."""


def wrong(message: str, option: str) -> OptionError:
    """The error of an option."""
    return OptionError(message, option=option, executor=NAME)


def check_way_in(where: Mapping[str, Any], cluster: Mapping[str, Any]) -> None:
    """There is one way in: an address, a scheduler file, or a cluster to start. Raises OptionError otherwise."""
    ways = [name for name, value in where.items() if value is not None]
    described = [name for name, value in cluster.items() if value is not None]
    if len(ways) > 1:
        raise wrong(f"{' and '.join(ways)} say the same twice: give one of them", ways[1])
    if ways and described:
        raise wrong(
            f"{ways[0]}={where[ways[0]]!r} names a cluster that runs already, so {' and '.join(described)} would "
            "change nothing: give either the address or the cluster to start",
            described[0],
        )


def checked_cluster(
    cluster_class: Any, cluster_kwargs: Mapping[str, Any] | None, *, debug: bool
) -> tuple[Any, dict[str, Any]]:
    """The class of a cluster to start, or the cluster that is there already, and the keywords with their defaults."""
    found = find_class(cluster_class if cluster_class is not None else distributed.LocalCluster)
    if isinstance(found, Cluster):
        if cluster_kwargs:
            raise wrong(
                "cluster_kwargs would change nothing: cluster_class is a cluster that is there already",
                "cluster_kwargs",
            )
        return found, {}
    quiet = {"silence_logs": logging.WARNING if debug else logging.CRITICAL}
    return found, {**(quiet if is_local(found) else {}), **(cluster_kwargs or {})}


def checked_client(client_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the client is called with: it does not become the default of the process unless that is asked for."""
    options = {"set_as_default": False, **(client_kwargs or {})}
    if options.get("asynchronous"):
        raise wrong(
            "client_kwargs: asynchronous=True gives a client that answers by coroutines, which no executor can use; "
            "from a coroutine, call `await asyncio.to_thread(flow.run)`",
            "client_kwargs",
        )
    check_keywords(distributed.Client, options, option="client_kwargs", lenient=False)
    if isinstance(options.get("timeout"), str):
        try:
            options["timeout"] = parse_timedelta(options["timeout"])
        except (KeyError, ValueError):
            raise wrong(
                f"client_kwargs: timeout is a number of seconds, or a text like '5s', not {options['timeout']!r}",
                "client_kwargs",
            ) from None
    return options


def where_given(
    address: str | None, scheduler_file: str | None, client_kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """The options that say where a cluster is; those of the client are taken for our own."""
    given = {"address": address, "scheduler_file": scheduler_file}
    for name in WHERE:
        if name in client_kwargs:
            if given[name] is not None:
                raise wrong(f"client_kwargs says {name} as well: give it once", "client_kwargs")
            given[name] = client_kwargs[name]
    if given["address"] is not None and not isinstance(given["address"], str):
        raise wrong(
            f"address is a text like 'tcp://host:8786', not {given['address']!r}: a cluster is given as cluster_class",
            "address",
        )
    return given


def configured_address() -> str | None:
    """What `DASK_SCHEDULER_ADDRESS` or dask's configuration say."""
    address: str | None = dask.config.get("scheduler-address", None)
    return address or None  # an empty variable says nothing


def configured_debug() -> bool:
    """What penstock's own configuration says."""
    from penstock.config import load_config  # late: it is asked only where the option was not given

    return bool(load_config().debug.value)


def checked_report(path: str | None) -> str | None:
    """The path of dask's report, if that can be written. Raises OptionError."""
    if path is not None and not Path(path).absolute().parent.is_dir():
        raise wrong(
            f"performance_report: there is no folder {Path(path).absolute().parent}", "performance_report"
        )
    if path is not None and importlib.util.find_spec("bokeh") is None:
        raise wrong(
            "performance_report needs the package 'bokeh', which is not installed here: pip install bokeh",
            "performance_report",
        )
    return path


def checked_security(security: Any, *, temporary: bool) -> Any:
    """As it was given, if it makes sense. temporary: whether a cluster is to be started. Raises OptionError."""
    if security is True:
        if not temporary:
            raise wrong(
                "security=True makes temporary credentials, which a cluster that runs already does not know: give "
                "those that it was started with, as a mapping of tls_ca_file, tls_client_cert and tls_client_key",
                "security",
            )
        if importlib.util.find_spec("cryptography") is None:
            raise wrong(
                "security=True needs the package 'cryptography', which is not installed here: pip install cryptography",
                "security",
            )
    if isinstance(security, Mapping):
        try:
            made = distributed.Security(**security)
        except (TypeError, ValueError) as error:
            raise wrong(f"security: {error}", "security") from error
        for name, value in vars(made).items() if hasattr(made, "__dict__") else security.items():
            if "tls" in name and isinstance(value, str) and "\n" not in value and not Path(value).is_file():
                raise wrong(f"security: {name}: there is no file {value}", "security")
    return security


def checked_packages(packages: Sequence[str]) -> tuple[str, ...]:
    """Names of packages. Raises OptionError for a text, whose letters would be taken for them."""
    if isinstance(packages, str):
        raise wrong(f"check_packages is a list of names, as in [{packages!r}]", "check_packages")
    return tuple(packages)


def workers_timeout(executor: DaskExecutor) -> float | None:
    """Seconds that calls wait while there is no worker at all; None for ever, as where they come with the work."""
    adaptive = executor.adapt_kwargs or getattr(executor.cluster_class, "_adaptive", None) is not None
    if adaptive or executor.resources_timeout is None:
        return None
    return max(executor.start_timeout, executor.resources_timeout)


def positive(option: str, seconds: Any) -> float:
    """A number of seconds. Raises OptionError for what is none."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 < seconds <= LONGEST:
        raise wrong(
            f"{option} is a number of seconds above 0, up to {LONGEST} (a year), not {seconds!r}", option
        )
    return seconds


def check_mappings(**options: Any) -> None:
    """Raise OptionError for keywords that are none."""
    for option, given in options.items():
        if given is not None and not (
            isinstance(given, Mapping) and all(isinstance(key, str) for key in given)
        ):
            raise wrong(f"{option} maps names to values, which {given!r} does not", option)


def checked_adapting(adapt_kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    """What `adapt` is called with. Raises OptionError for numbers of workers that would let none come for ever."""
    options = dict(adapt_kwargs or {})
    for suffix in ("", "_jobs"):
        least, most = (options.get(f"{name}{suffix}") for name in ("minimum", "maximum"))
        for each in (least, most):
            if each is not None and (isinstance(each, bool) or not isinstance(each, (int, float))):
                raise wrong(f"adapt_kwargs: {each!r} is no number of workers", "adapt_kwargs")
        if most is not None and not most >= max(1, least or 0):
            raise wrong(
                f"adapt_kwargs: maximum{suffix} is {most}: it is at least 1, and no less than minimum{suffix}",
                "adapt_kwargs",
            )
    return options

"""Validators of the executor's options. Each gives the checked value, or raises OptionError."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import dask.config
import distributed
from dask.utils import parse_timedelta
from distributed.deploy import Cluster

from turgo.errors import OptionError
from turgo.install import pip_install
from turgo_dask.cluster.class_path import check_keywords, find_class, keywords_named_by
from turgo_dask.cluster.local import is_local, is_plain
from turgo_dask.connection.connect import LOCATION_OPTIONS
from turgo_dask.plugin import NAME

MAX_TIMEOUT_SECONDS = 366 * 24 * 3600


def wrong(message: str, option: str) -> OptionError:
    """The error of an option."""
    return OptionError(message, option=option, executor=NAME)


def checked_cluster(
    cluster_class: Any, cluster_kwargs: Mapping[str, Any] | None, location: Mapping[str, Any], *, debug: bool
) -> tuple[Any, dict[str, Any] | None]:
    """The class of a cluster to start, or the cluster that is there already, and the keywords with their defaults.

    Both are None where `location` says where one runs. Raises OptionError.
    """
    if any(value is not None for value in location.values()):
        return None, None
    found = find_class(cluster_class if cluster_class is not None else distributed.LocalCluster)
    if isinstance(found, Cluster):
        if cluster_kwargs:
            raise wrong(
                "cluster_kwargs would change nothing: cluster_class is a cluster that is there already",
                "cluster_kwargs",
            )
        return found, {}
    quiet = {"silence_logs": logging.WARNING if debug else logging.CRITICAL}
    takes = is_plain(found) or (is_local(found) and "silence_logs" in keywords_named_by(found))
    return found, {**(quiet if takes else {}), **(cluster_kwargs or {})}


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


def checked_location(
    address: str | None,
    scheduler_file: str | None,
    client_kwargs: Mapping[str, Any],
    described: Mapping[str, Any],
) -> dict[str, Any]:
    """The options that say where a cluster is; those among the client's keywords count as ours.

    described: the options of a cluster to start, which exclude these. Raises OptionError.
    """
    given: dict[str, Any] = {"address": address, "scheduler_file": scheduler_file}
    for name in LOCATION_OPTIONS:
        if name in client_kwargs:
            if given[name] is not None:
                raise wrong(f"client_kwargs says {name} as well: give it once", "client_kwargs")
            given[name] = client_kwargs[name]
    if given["address"] is not None and not isinstance(given["address"], str):
        raise wrong(
            f"address is a text like 'tcp://host:8786', not {given['address']!r}: a cluster is given as cluster_class",
            "address",
        )
    _check_one_way_in(given, described)
    if not any(value is not None for value in (*given.values(), *described.values())):
        given["address"] = (
            dask.config.get("scheduler-address", None) or None
        )  # an empty variable says nothing
    return given


def _check_one_way_in(location: Mapping[str, Any], described: Mapping[str, Any]) -> None:
    """There is one way in: an address, a scheduler file, or a cluster to start. Raises OptionError otherwise."""
    ways = [name for name, value in location.items() if value is not None]
    cluster = [name for name, value in described.items() if value is not None]
    if len(ways) > 1:
        raise wrong(f"{' and '.join(ways)} say the same twice: give one of them", ways[1])
    if ways and cluster:
        raise wrong(
            f"{ways[0]}={location[ways[0]]!r} names a cluster that runs already, so {' and '.join(cluster)} would "
            "change nothing: give either the address or the cluster to start",
            cluster[0],
        )


def checked_debug(debug: bool | None) -> bool:
    """As it was given, or as turgo's own configuration says."""
    if debug is not None:
        return bool(debug)
    from turgo.config.load import load_config  # late: it is asked only where the option was not given

    return bool(load_config().debug.value)


def checked_report(path: str | None) -> str | None:
    """The path of dask's report, if that can be written. Raises OptionError."""
    if path is not None and not Path(path).absolute().parent.is_dir():
        raise wrong(
            f"performance_report: there is no folder {Path(path).absolute().parent}", "performance_report"
        )
    if path is not None and importlib.util.find_spec("bokeh") is None:
        raise wrong(
            f"performance_report needs the package 'bokeh', which is not installed here: {pip_install('bokeh')}",
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
                "security=True needs the package 'cryptography', which is not installed here: "
                f"{pip_install('cryptography')}",
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


def checked_rest(
    *,
    performance_report: str | None,
    start_timeout: float,
    resources_timeout: float | None,
    scheduler_timeout: float,
    check_packages: Sequence[str],
) -> dict[str, Any]:
    """The options that stand for themselves. Raises OptionError."""
    forever = resources_timeout is None
    return {
        "performance_report": checked_report(performance_report),
        "start_timeout": positive("start_timeout", start_timeout),
        "resources_timeout": None if forever else positive("resources_timeout", resources_timeout),
        "scheduler_timeout": positive("scheduler_timeout", scheduler_timeout),
        "check_packages": checked_packages(check_packages),
    }


def positive(option: str, seconds: Any) -> float:
    """A number of seconds. Raises OptionError for what is none."""
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, (int, float))
        or not 0 < seconds <= MAX_TIMEOUT_SECONDS
    ):
        raise wrong(
            f"{option} is a number of seconds above 0, up to {MAX_TIMEOUT_SECONDS} (a year), not {seconds!r}",
            option,
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

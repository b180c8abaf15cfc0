"""`turgo cache`: what the cache of values holds, and emptying it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from turgo.cli.terminal.output import show, show_json
from turgo.errors import CacheError

if TYPE_CHECKING:
    from turgo.config.settings import Origin
    from turgo.stores.store import Store


@click.group(invoke_without_command=True, short_help="What the cache of values holds; emptying it.")
@click.pass_context
def cache(ctx: click.Context) -> None:
    """The values that tasks with a `cache_key` keep for later runs.

    \b
      turgo cache info          where it is, how many values it holds, how large they are
      turgo cache clear         drop all of them

    Where it is, `[cache] url` in turgo.toml or TURGO_CACHE__URL says: a folder, or a URL. Over `max_bytes`
    of a folder (1 GiB), the values that were used longest ago go. Without a command: info.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(info)


@cache.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def info(as_json: bool = False) -> None:
    """Say where the cache is, how many values it holds, and how large they are.

    \b
      turgo cache info --json
    """
    with _store() as (store, origin):
        usage = store.usage()
    if as_json:
        record = {"where": store.where, "origin": str(origin), "entries": usage.entries, "bytes": usage.size}
        show_json({**record, "max_bytes": store.max_bytes})
        return
    of = "" if store.max_bytes is None else f" of {_size(store.max_bytes)}"
    show(f"{store.where} (from {origin})\n{_values(usage.entries)}, {_size(usage.size)}{of}")


@cache.command()
def clear() -> None:
    """Drop all values; what else lies beside them stays.

    \b
      TURGO_CACHE__URL=s3://team/cache turgo cache clear
    """
    with _store() as (store, _):
        count = store.clear()
    show(f"dropped {_values(count)} from {store.where}")


@contextmanager
def _store() -> Iterator[tuple[Store, Origin]]:
    """The store that the configuration names, and where it does; that it cannot be reached is a CacheError."""
    from turgo.caching.configured import open_store  # the group's help needs none of it
    from turgo.config.load import load_config

    config = load_config()
    store = open_store(config)
    try:
        yield store, config.cache_url.origin
    except OSError as error:
        raise CacheError(f"the cache at {store.where} cannot be reached: {error}") from error


def _values(count: int) -> str:
    return "1 value" if count == 1 else f"{count:,} values"


def _size(count: float) -> str:
    """Bytes as one reads them: `512 bytes`, `3.4 MiB`."""
    if count < 1024:
        return f"{count:.0f} bytes"
    power = min(int(math.log(count, 1024)), 3)
    return f"{count / 1024**power:,.1f} {('KiB', 'MiB', 'GiB')[power - 1]}"

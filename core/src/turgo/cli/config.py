"""`turgo config`: the effective configuration, and where each value comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from turgo.cli.terminal.output import show, show_json, terminal_width
from turgo.config.settings import Origin, Setting
from turgo.redaction import HIDING_NAME, REFERENCES, is_secret, redacted

if TYPE_CHECKING:
    from turgo.config.load import Config


@click.command(short_help="What the files and variables say, each value with its origin.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def config(as_json: bool) -> None:
    """Print the effective configuration and where each value comes from.

    The strongest first: variables, the project file (the nearest turgo.toml, or [tool.turgo] in a
    pyproject.toml, from this folder upwards), the user file, the defaults. In a file:

    \b
      executor = "hpc"
      max_map_width = 10_000_000     # how many elements a mapped task may have

    \b
      [executors.hpc]                # a profile: turgo run census.py --executor hpc
      use = "dask"
      cluster_class = "dask_jobqueue.SLURMCluster"
      cluster_kwargs = { cores = 8, memory = "16GB" }

    \b
      [limits]                       # how many calls with a tag may run at once
      db = 4

    \b
      [cache]                        # where tasks with a cache_key keep their values
      url = "s3://team/cache"        # a folder, or a URL that fsspec opens
      max_bytes = 10_737_418_240     # of a folder; trust = true: others may write behind the URL

    \b
      [progress]                     # whether flow.run(…) shows bars; false: neither does turgo run
      enabled = true

    \b
      [journal]                      # what turgo run keeps of each run, to go on from there
      enabled = true                 # required = true: no run without it
      folder = "/data/runs"
      values = "s3://team/runs"      # finished values; else beside the journal
      max_bytes = 4_294_967_296      # of all runs; max_value_bytes: of one value
      max_age_days = 30

    and in variables:

    \b
      TURGO_EXECUTOR=hpc
      TURGO_EXECUTORS__HPC__CLUSTER_KWARGS__cores=16
      TURGO_LIMITS__DB=2
      TURGO_PROGRESS=1
    """
    from turgo.config.load import load_config

    effective = load_config()
    if as_json:
        show_json(_record(effective))
    else:
        show(_text(effective, terminal_width()))


def _text(effective: Config, width: int | None) -> str:
    """For people. width: of a line, in characters; None for any."""
    from turgo.observers.tables import aligned, wrapped

    rows = [[".".join(each.key), value_text(each), str(each.origin)] for each in effective.settings]
    table = aligned(["key", "value", "from"], rows, width=width)
    files = [f"  {path}" for path in effective.files] or ["  none"]
    title = wrapped("files that were read, the strongest first:", width)
    return "\n".join([table, "", *title, *files])


def _record(effective: Config) -> dict[str, object]:
    """For machines."""
    settings = [
        {"key": ".".join(each.key), "value": shown_setting(each), "origin": origin_record(each.origin)}
        for each in effective.settings
    ]
    return {"files": list(effective.files), "settings": settings}


def value_text(setting: Setting) -> str:
    """The value as one would write it, without secrets; what came as text (a variable, `-o`) exactly as it came."""
    shown = shown_setting(setting)
    return str(shown) if setting.text else repr(shown)


def shown_setting(setting: Setting) -> Any:
    """The value without what is secret by its name or form; a variable or file that a secret is read from is none."""
    *names, last = setting.key
    is_reference = bool(names) and last in REFERENCES
    options = names if is_reference else setting.key
    if is_reference or not any(map(is_secret, options[2:] if options[0] == "executors" else options)):
        return redacted(setting.value)
    return redacted(setting.value, HIDING_NAME)


def origin_record(origin: Origin) -> dict[str, object]:
    """An origin for machines."""
    return {"kind": origin.kind, "where": origin.where, "key": origin.key, "line": origin.line}

"""`penstock executors`: `list` and `show` are here, `certify` and `new` in modules of their own."""

from __future__ import annotations

import click

from penstock.cli.certify import certify_executor
from penstock.cli.new import new_executor


@click.group(invoke_without_command=True)
@click.pass_context
def executors(ctx: click.Context) -> None:
    """Which executors there are, and what can be set.

    \b
      penstock executors list                 installed, broken, absent ones; profiles; the default
      penstock executors show local_dask      every option: type, default, meaning, present value
      penstock executors show ./mine.py:MyExecutor
      penstock executors certify turbine      run the conformance suite, write a certificate
      penstock executors new turbine          a plugin project of your own, which works as it stands

    Without a command: list.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_executors)


@executors.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def list_executors(as_json: bool = False) -> None:
    """List the executors by name. Imports none of them, so a broken one breaks nothing.

    A name is what `--executor`, PENSTOCK_EXECUTOR, `executor =` in penstock.toml and `executor=` in code
    take.
    """
    from penstock.cli.listing import Listing
    from penstock.cli.output import show, show_json, terminal_width
    from penstock.registry import Registry

    listing = Listing.of(Registry())
    if as_json:
        show_json(listing.record())
    else:
        show(listing.text(terminal_width()))


@executors.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def show_executor(name: str, as_json: bool) -> None:
    """Show every option of an executor: type, default, meaning, and where its present value comes from.

    NAME is what `--executor` takes: the name of a plugin or a profile, or a class path.

    \b
      penstock executors show dask
      penstock executors show my_package.executors.MyExecutor
      penstock executors show ./my_executor.py:MyExecutor
    """
    from penstock.cli.output import show, show_json, terminal_width
    from penstock.cli.showing import Showing
    from penstock.registry import Registry

    showing = Showing.of(Registry(), name)
    if as_json:
        show_json(showing.record())
    else:
        show(showing.text(terminal_width()))


executors.add_command(certify_executor)
executors.add_command(new_executor)

"""The commands of `turgo executors`. `list` and `show` are here, `certify` and `new` in modules of their own."""

from __future__ import annotations

import click

from turgo.cli.completion.values import executor_names, executor_options
from turgo.cli.lazy_group import LazyGroup
from turgo.cli.parameters import key_values

COMMANDS = {
    "list": "turgo.cli.executors.commands:list_executors",
    "show": "turgo.cli.executors.commands:show_executor",
    "certify": "turgo.cli.executors.certify:certify_executor",
    "new": "turgo.cli.executors.new:new_executor",
}
"""Where each command is, in the order of the help."""


@click.group(cls=LazyGroup, places=COMMANDS, invoke_without_command=True)
@click.pass_context
def executors(ctx: click.Context) -> None:
    """Which executors there are, and what can be set.

    \b
      turgo executors list                 installed, broken, absent ones; profiles; the default
      turgo executors show local_dask      every option: type, default, meaning, present value
      turgo executors show ./mine.py:MyExecutor
      turgo executors certify turbine      run the conformance suite, write a certificate
      turgo executors new turbine          a plugin project of your own, which works as it stands

    Without a command: list.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_executors)


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def list_executors(as_json: bool = False) -> None:
    """List the executors by name. Imports none of them, so a broken one breaks nothing.

    A name is what `--executor`, TURGO_EXECUTOR, `executor =` in turgo.toml and `executor=` in code
    take.
    """
    from turgo.cli.executors.overview import Listing
    from turgo.cli.terminal.output import output_to_error, show, show_json, terminal_width
    from turgo.registry.resolve import Registry

    with output_to_error():
        listing = Listing.of(Registry())
    if as_json:
        show_json(listing.record())
    else:
        show(listing.text(terminal_width()))


@click.command("show")
@click.argument("name", shell_complete=executor_names)
@key_values("-o", "options", "An option to show it with, as often as you like.", executor_options)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for machines.")
def show_executor(name: str, options: dict[str, str], as_json: bool) -> None:
    """Show every option of an executor: type, default, meaning, and where its present value comes from.

    NAME is what `--executor` takes: the name of a plugin or a profile, or a class path. With -o it is shown as it would
    be with that option: what it can do may depend on it.

    \b
      turgo executors show dask
      turgo executors show local_dask -o scheduler=threads
      turgo executors show my_package.executors.MyExecutor
      turgo executors show ./my_executor.py:MyExecutor
    """
    from turgo.cli.executors.details import Showing
    from turgo.cli.terminal.output import output_to_error, show, show_json, terminal_width
    from turgo.registry.resolve import Registry

    width = terminal_width()
    with output_to_error():
        showing = Showing.of(Registry(), name, options)
        answer = showing.record() if as_json else showing.text(width)
    show_json(answer) if as_json else show(str(answer))

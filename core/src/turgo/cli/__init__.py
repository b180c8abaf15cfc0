"""The command line: `turgo run`, `turgo executors`, `turgo config`, `turgo cache`.

    main            runs a command and turns what came of it into an exit code
    root            the group of commands, each imported when it is used
    run             loads a flow file, chooses the executor, runs the one on the other
    parameters      `-p limit=10` into values, by the flow's signature
    graph           what a flow would run, or what became of a run, as a tree or a picture
    executors/      `list`, `show`, `certify` and `new`
    compare/        one flow on several executors, measured side by side
    doctor/         what is wrong here, and the line that mends it
    config, cache   the effective configuration; what the cache holds
    completion/     what shells complete, and how they ask
    terminal/       what all of them print with; Ctrl-C and SIGTERM during `run`; streams that are missing

Exit codes: 0 success, 1 the flow failed, 2 bad usage or configuration, 130 interrupted (Ctrl-C or SIGTERM).
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Sequence

SUCCESS, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(args: Sequence[str] | None = None) -> int:
    """Run the command that `args` (default: those of the process) say; the exit code.

    Raises nothing for a mistake of the user's; what escapes is a defect of turgo or of an executor, and
    Python prints its traceback.
    """
    try:
        return _main(args)
    except KeyboardInterrupt:  # of what is imported first, which would say it
        with contextlib.suppress(AttributeError, OSError):  # it may be closed
            sys.stderr.write("interrupted\n")
        return INTERRUPTED


def _main(args: Sequence[str] | None) -> int:
    # Here, so that importing this module for its exit codes costs nothing.
    import click

    from turgo.cli.root import turgo
    from turgo.cli.terminal.output import finish, output_failed, show_error, show_warning
    from turgo.cli.terminal.streams import open_missing_streams
    from turgo.errors import ExecutorStartError, TurgoError, UsageError
    from turgo.hidden_modules import add_hidden_modules, hidden_modules

    open_missing_streams()
    if "_TURGO_COMPLETE" in os.environ:
        from turgo.cli.completion.shells import use_shells  # late: a shell asks

        use_shells()
    try:
        code = turgo.main(args=args, prog_name="turgo", standalone_mode=False)
        return code if isinstance(code, int) else SUCCESS
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (UsageError, ExecutorStartError) as error:  # of both, nothing ran
        show_error(str(error))
        if isinstance(error, ExecutorStartError) and (hidden := hidden_modules()):
            show_warning(hidden)
        return USAGE
    except TurgoError as error:
        show_error(str(error))
        return FAILED
    except (click.Abort, KeyboardInterrupt):
        show_error("interrupted", label="")
        return INTERRUPTED
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        output_failed(error)  # of click's own, as `--help`
        return FAILED
    except Exception as error:
        add_hidden_modules(error)
        raise
    finally:
        finish()

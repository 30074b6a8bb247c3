"""Commands by name, imported when they are asked for, and one place for errors."""

from __future__ import annotations

import logging
import sys
from difflib import get_close_matches
from importlib import import_module
from typing import Any, NoReturn

import click

from inputs.errors import PlannerError
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode, exit_code_of
from planner.cli.logs import Logs
from planner.cli.streams import is_refused, make_sure

_log = logging.getLogger(__name__)

COMMANDS = {
    "init": "Make a small workspace that solves at once, offline.",
    "solve": "Plan one day and write the plan file.",
    "check": "Re-do a plan's arithmetic from the workspace's inputs.",
    "compare": "Set the policies side by side on one day.",
    "report": "Write a plan's report as HTML, Markdown and JSON.",
    "execute": "Start the jobs that are due, each at most once.",
    "status": "Show what became of each job of a plan.",
    "settle": "Set what was planned of a day beside what really happened.",
    "cancel": "End jobs, or keep them from being started.",
    "retry": "Try jobs again that failed, were missed or cancelled.",
    "close": "Say what became of jobs that nobody can look up any more.",
    "hold": "Start none of some jobs, of a region, or of all.",
    "release": "Let jobs start again that were held.",
    "ledger": "Check the record of what was sent, or show its steps.",
    "metrics": "Print the site's figures as Prometheus reads them.",
    "forecast": "Show, fetch, keep and judge forecasts.",
    "export": "Hand a plan over to a tool that you have already.",
    "solvers": "List the solvers and whether they can run here.",
    "config": "Show every setting and where its value comes from.",
}
"""Name to one line of help; each lives in the module of its name."""


class PlannerGroup(click.Group):
    """Looks commands up lazily and turns failures into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order in which a user meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"planner.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Name the nearest command when there is none of the name."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            near = get_close_matches(args[0], COMMANDS, n=1)
            if not near:
                raise
            text = f"{error.format_message()} Did you mean {near[0]!r}?"
            raise click.UsageError(text, ctx) from None

    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run as a program, on streams that take what is written to them."""
        make_sure()
        try:
            return super().main(*args, **kwargs)
        except OSError as error:  # of --help or --version, which no command is asked
            click.echo(f"Error: {_fault(error)}", err=True)
            sys.exit(int(ExitCode.REFUSED))

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; every failure leaves here as a message."""
        try:
            return super().invoke(ctx)
        except PlannerError as error:
            return _leave(ctx, str(error), exit_code_of(error), error.code)
        except (KeyboardInterrupt, click.Abort):
            return _leave(ctx, "interrupted", ExitCode.INTERRUPTED, "interrupted")
        except click.UsageError as error:
            error = _with_hint(error)
            if not _logs(ctx).json:
                raise error from None
            return _leave(ctx, error.format_message(), ExitCode.USAGE, "usage")
        except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
            raise
        except OSError as error:
            _log.debug("failed", exc_info=True)
            return _leave(ctx, _fault(error), ExitCode.REFUSED, "storage")
        except Exception as error:
            _log.debug("unexpected error", exc_info=True)
            text = f"unexpected {type(error).__name__}: {error}; -vv shows where"
            text = f"{text}; please report it"
            return _leave(ctx, text, ExitCode.REFUSED, "unexpected")


def _with_hint(error: click.UsageError) -> click.UsageError:
    """A date is an argument of some commands and an option of others."""
    params = error.ctx.command.params if error.ctx is not None else []
    dated = any("--date" in param.opts for param in params)
    if not dated or "unexpected extra argument" not in error.message:
        return error
    return click.UsageError(f"{error.message}; a date is given with --date", error.ctx)


def _fault(error: OSError) -> str:
    """A fault of the disk or its permissions, which is not the program's own."""
    if error.strerror is None:
        return str(error)
    name = error.filename or ("standard output" if is_refused() else "a file")
    return f"{name}: {error.strerror}"


def _leave(ctx: click.Context, message: str, code: ExitCode, why: str) -> NoReturn:
    _logs(ctx).failure(message, code=why)
    ctx.exit(int(code))


def _logs(ctx: click.Context) -> Logs:
    return ctx.ensure_object(App).logs

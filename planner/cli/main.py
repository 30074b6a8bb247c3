"""The command ``planner`` itself."""

from __future__ import annotations

import logging
import signal
import threading
from pathlib import Path

import click

from planner.cli.app import App
from planner.cli.group import PlannerGroup
from planner.cli.logs import chosen
from planner.cli.options import examples


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from planner.version import planner_version

        click.echo(f"planner {planner_version()}")
        ctx.exit()


@click.group(
    "planner",
    cls=PlannerGroup,
    epilog=examples(
        "planner init nightly", "cd nightly", "planner solve --date tomorrow"
    ),
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "PLANNER",
    },
)
@click.option(
    "-C",
    "directory",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Work as if started in this folder.",
)
@click.option("-v", "--verbose", count=True, help="Tell the story; -vv tells all.")
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def main(ctx: click.Context, directory: Path | None, verbose: int) -> None:
    """Plan tomorrow's batch jobs together, for the least carbon, with a proof.

    A workspace is a folder with a planner.toml, found from the working directory
    upwards. Begin with `planner init`.
    """
    app = ctx.ensure_object(App)
    # A nightly run that is told to end (by a timeout, say) ends like Ctrl-C: with
    # the best plan so far.
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
        ctx.call_on_close(lambda: signal.signal(signal.SIGTERM, before))
    if directory is not None:
        app.directory = directory
    app.logs.set_up(format=chosen(app.environment), verbosity=verbose)
    ctx.call_on_close(lambda: logging.captureWarnings(False))

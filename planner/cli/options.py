"""Options that several commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from inputs.settings import Workspace
    from planner.cli.app import App

Command = Callable[..., Any]

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object."
)


def _log_format(ctx: click.Context, _: click.Parameter, value: str | None) -> None:
    from planner.cli.app import App
    from planner.cli.logs import LogFormat

    if value is not None:
        ctx.ensure_object(App).logs.set_up(format=LogFormat(value))


log_option = click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    is_eager=True,
    expose_value=False,
    callback=_log_format,
    help="How stderr is written; default: the variable PLANNER_LOG, or text.",
)


def examples(*commands: str) -> str:
    """Last lines of a command's help: how it is called, to be copied."""
    return "\n".join(("\b", "Examples:", *(f"  {command}" for command in commands)))


date_option = click.option(
    "--date",
    "day",
    default="tomorrow",
    show_default=True,
    metavar="DATE",
    help="tomorrow, today or YYYY-MM-DD, in the workspace's time zone.",
)


def usable_cores() -> int:
    """Cores that this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def known_solver(ctx: click.Context, param: click.Parameter, name: str) -> str:
    """Name of a solver; an unknown one is wrong usage."""
    from solvers.errors import SolverUnknownError
    from solvers.registry import require

    try:
        require(name)
    except SolverUnknownError as error:
        raise click.BadParameter(str(error), ctx, param) from None
    return name


_SOLVER_OPTIONS = (
    click.option(
        "--threads",
        default=usable_cores,
        show_default="all usable cores",
        type=click.IntRange(1, 1024),
        help="Cores to use; a plan is the same again only with as many.",
    ),
    click.option(
        "--seed",
        default=0,
        show_default=True,
        type=click.IntRange(0, 2**31 - 1),
        help="Where chance is used, begin here: the same seed, the same plan.",
    ),
    click.option(
        "--time-limit",
        "time_limit_s",
        default=60.0,
        show_default=True,
        type=click.FloatRange(min=0),
        help="Solve for at most this many seconds.",
    ),
    click.option(
        "--gap",
        default=0.001,
        show_default=True,
        type=click.FloatRange(0, 1),
        help="Stop at this proven relative gap.",
    ),
    click.option(
        "--solver",
        default="auto",
        show_default=True,
        callback=known_solver,
        help="Who plans; `planner solvers` lists them.",
    ),
)


def solver_options(command: Command) -> Command:
    """Add which solver plans, and what it is told: gap, time limit, seed, cores."""
    for option in _SOLVER_OPTIONS:
        command = option(command)
    return command


def resolve_day(
    app: App, workspace: Workspace, text: str, *, hint: str = "--date"
) -> date:
    """Date meant by an option or argument; wrong words are a usage error."""
    from inputs.timegrid import resolve_date

    timezone = workspace.settings.planner.timezone
    try:
        return resolve_date(text, now=app.clock(), timezone=timezone)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=f"'{hint}'") from None


def plan_argument(app: App, workspace: Workspace, text: str) -> Path:
    """Plan file meant by a path, or by a date of the workspace."""
    from outputs.plan_name import plan_path
    from outputs.plan_store import planned_dates

    path = app.directory / text
    if path.exists() or text.endswith(".parquet"):
        return path
    folder = workspace.outputs / "plans"
    day = resolve_day(app, workspace, text, hint="PLAN")
    path = plan_path(folder, day)
    if not path.exists() and (planned := planned_dates(folder)):
        app.note(f"note: there is no plan of {day}; the newest is of {planned[-1]}")
    return path

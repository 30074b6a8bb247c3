"""``planner ledger``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import tzinfo
from typing import TYPE_CHECKING

import click

from planner.cli.app import App, pass_app
from planner.cli.exit_codes import ExitCode
from planner.cli.instants import shown
from planner.cli.options import examples, json_option

if TYPE_CHECKING:
    from planner.executor.history import Step


@click.group(
    epilog=examples(
        "planner ledger verify", "planner ledger history --job nightly-embeddings"
    )
)
def command() -> None:
    """Check the record of what was sent, or show its steps."""


@command.command("verify", epilog=examples("planner ledger verify --json"))
@json_option
@click.pass_context
@pass_app
def verify(app: App, ctx: click.Context, /, as_json: bool) -> None:
    """Check that the ledger is undamaged and agrees with itself.

    Every fault is named; exit status 1 if there is any. Nothing is changed, and the
    executor may be at work meanwhile.
    """
    from outputs.wording import counted
    from planner.inspecting import verify_ledger

    name, found = verify_ledger(app.place(), now=app.clock())
    if as_json:
        app.result_json({"schema": 1, "ledger": name, **asdict(found)})
    else:
        for problem in found.problems:
            click.echo(problem)
        states = ", ".join(f"{n} {state}" for state, n in found.states.items())
        states = states or "none"
        parts = (
            f"{name}: {counted(len(found.problems), 'fault')} in "
            f"{counted(found.plans, 'plan')}",
            f"{counted(found.dispatches, 'dispatch', 'dispatches')} ({states})",
            counted(found.transitions, "transition"),
        )
        click.echo(", ".join(parts))
        if not found.plans:
            app.note("note: nothing has been sent from here yet")
    ctx.exit(ExitCode.REFUSED if found.problems else ExitCode.DONE)


@command.command(
    "history", epilog=examples("planner ledger history --date 2026-11-23 --json")
)
@click.option("--date", "day", metavar="YYYY-MM-DD", help="Of this planned date.")
@click.option("--job", metavar="ID", help="Of this job.")
@click.option(
    "--last",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="At most so many, the newest.",
)
@json_option
@pass_app
def history(
    app: App, /, day: str | None, job: str | None, last: int, as_json: bool
) -> None:
    """Show every step: when, by whom, which plan, from, to, why."""
    from planner.inspecting import ledger_history

    steps = ledger_history(app.place(), now=app.clock(), day=day, job=job, last=last)
    if as_json:
        plain = [{**asdict(step), "at": step.at.isoformat()} for step in steps]
        app.result_json({"schema": 1, "steps": plain})
        return
    for step in steps:
        click.echo(_line(step, app.zone))
    if not steps:
        app.note("note: the ledger holds no such step")


def _line(step: Step, zone: tzinfo) -> str:
    what = f"{step.before or '–'} → {step.after}"
    return (
        f"{shown(step.at, zone, seconds=True)}  {what:<20}  {step.job_id} segment "
        f"{step.segment} attempt {step.attempt}  plan {step.plan_id}  by {step.actor}"
        f"{'  ' + step.detail if step.detail else ''}"
    )

"""``planner settle``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from planner.cli.app import App, pass_app
from planner.cli.exit_codes import ExitCode
from planner.cli.options import examples, json_option, resolve_day, usable_cores

if TYPE_CHECKING:
    from outputs.evidence import Evidence


@click.command(
    epilog=examples(
        "planner settle --date 2026-11-22", "planner settle --date today --json"
    )
)
@click.option(
    "--date",
    "day",
    default="yesterday",
    show_default=True,
    metavar="DATE",
    help="yesterday, today or YYYY-MM-DD, in the workspace's time zone.",
)
@click.option(
    "--time-limit",
    "time_limit_s",
    default=60.0,
    show_default=True,
    type=click.FloatRange(min=0),
    help="Look for the best plan in hindsight for at most this many seconds.",
)
@json_option
@click.pass_context
@pass_app
def command(
    app: App, ctx: click.Context, /, day: str, time_limit_s: float, as_json: bool
) -> None:
    """Set what was planned of a day beside what really happened.

    Joins the plan, the ledger and the actual intensity into one file of evidence,
    with the regret split into forecast, dispatch and runtime error. What is not known
    yet is labelled; settle again later, and it is settled for good.
    """
    from planner.settling import SettleRequest, settle_day
    from solvers.solution import SolveOptions

    workspace = app.workspace()
    request = SettleRequest(
        workspace=workspace,
        place=app.place(),
        day=_day(app, day),
        options=SolveOptions(time_limit_s=time_limit_s, threads=usable_cores()),
    )
    path, evidence = settle_day(request, now=app.clock(), environment=app.environment)
    if as_json:
        app.result_json({"schema": 1, "evidence": str(path), **evidence.meta})
    else:
        _show(app, evidence)
        click.echo(f"evidence: {app.shown(path)}")
    ctx.exit(ExitCode.DEGRADED if evidence.meta["provisional"] else ExitCode.DONE)


def _day(app: App, text: str) -> Any:
    from datetime import timedelta

    workspace = app.workspace()
    if text == "yesterday":
        return resolve_day(app, workspace, "today") - timedelta(days=1)
    return resolve_day(app, workspace, text)


def _show(app: App, evidence: Evidence) -> None:
    from outputs.outcome import outcome_sentences, outcome_sheet
    from outputs.tables import rich_table

    app.show(rich_table(outcome_sheet(evidence)))
    for sentence in outcome_sentences(evidence):
        click.echo(sentence)
    for note in evidence.meta["notes"]:
        app.note(f"note: {note}")

"""``planner status``."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from planner.cli.app import App, pass_app
from planner.cli.options import examples, json_option, plan_argument

if TYPE_CHECKING:
    from outputs.plan import Plan
    from planner.executor.status import DispatchStatus


@click.command(epilog=examples("planner status", "planner status tomorrow --json"))
@click.argument("plan", default="today")
@json_option
@pass_app
def command(app: App, /, plan: str, as_json: bool) -> None:
    """Show what became of each job of a plan.

    PLAN is a plan file, or a date whose newest plan is meant.
    """
    from planner.executing import states

    path = plan_argument(app, app.workspace(), plan)
    found, rows = states(app.place(), plan_path=path, now=app.clock())
    if as_json:
        app.result_json(
            {"schema": 1, "plan_id": found.meta.plan_id, "jobs": [*map(_plain, rows)]}
        )
        return
    zone = ZoneInfo(found.meta.timezone)
    for row in rows:
        click.echo(_line(row, zone))
    click.echo(_totals(found, rows))


def _line(row: DispatchStatus, zone: ZoneInfo) -> str:
    def clock(instant: datetime | None) -> str:
        return "–" if instant is None else f"{instant.astimezone(zone):%H:%M:%S}"

    ran = f"{clock(row.started_at)} – {clock(row.ended_at)}"
    state = "late" if row.late else row.state.value
    end = "" if row.exit_code is None else f"exit {row.exit_code}"
    where = row.stdout or ""
    parts = [
        f"{clock(row.planned_start)}  {state:<9} {row.job_id:<32} {row.region:<12}",
        ran if row.started_at else "",
        end,
        row.reason or "",
        where,
    ]
    return "  ".join(part for part in parts if part).rstrip()


def _totals(plan: Plan, rows: tuple[DispatchStatus, ...]) -> str:
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.state.value] = counts.get(row.state.value, 0) + 1
    listed = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    return f"plan {plan.meta.plan_id}: {listed or 'nothing to run'}"


def _plain(row: DispatchStatus) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in asdict(row).items()
    }

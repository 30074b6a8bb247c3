"""``planner status``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from planner.cli.app import App, pass_app
from planner.cli.instants import shown
from planner.cli.options import examples, json_option, plan_argument

if TYPE_CHECKING:
    from outputs.plan import PlanMeta
    from planner.executing import Standing
    from planner.executor.hosts import SilentHost
    from planner.executor.status import DispatchStatus

_FLAGS = ("late", "held", "waiting")
"""Not states but what keeps a planned job from being sent."""

_LISTED = 5


def _words_of_state(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> tuple[str, ...]:
    from planner.executor.states import State

    words = tuple(word for word in (value or "").split(",") if word)
    known = (*(state.value for state in State), *_FLAGS)
    for word in words:
        if word not in known:
            text = f"{word!r} is none of {', '.join(known)}"
            raise click.BadParameter(text, ctx, param)
    return words


@click.command(
    epilog=examples(
        "planner status",
        "planner status tomorrow --json",
        "planner status --state failed,unknown,late --region north",
    )
)
@click.argument("plan", default="today")
@click.option(
    "--date", "day", metavar="DATE", help="The same as a date instead of PLAN."
)
@click.option(
    "--state",
    "states",
    callback=_words_of_state,
    metavar="STATES",
    help="Only these, with commas: failed,unknown,late,held,waiting, …",
)
@click.option("--job", "jobs", metavar="JOB", multiple=True, help="Only these jobs.")
@click.option("--region", "regions", metavar="R", multiple=True, help="Only there.")
@json_option
@pass_app
def command(
    app: App,
    /,
    plan: str,
    day: str | None,
    states: tuple[str, ...],
    jobs: tuple[str, ...],
    regions: tuple[str, ...],
    as_json: bool,
) -> None:
    """Show what became of each job of a plan.

    PLAN is a plan file, or a date whose newest plan is meant; without it, today.
    Totals are of the whole plan, also when only some of its jobs are shown.
    """
    from planner.executing import standing

    path = plan_argument(app, app.workspace(), day or plan)
    found = standing(app.place(), plan_path=path, now=app.clock())
    rows = [row for row in found.rows if _wanted(row, states, jobs, regions)]
    if as_json:
        app.result_json(_summary(found, rows))
        return
    zone = ZoneInfo(found.plan.meta.timezone)
    clock = _Clock(zone, found.plan.meta)
    for row in rows:
        click.echo(_line(row, clock, app))
    for line in _totals(found, zone):
        click.echo(line)


def _wanted(
    row: DispatchStatus,
    states: tuple[str, ...],
    jobs: tuple[str, ...],
    regions: tuple[str, ...],
) -> bool:
    array = row.job_id.partition("[")[0]
    return (
        (not states or not {*_flags(row), row.state.value}.isdisjoint(states))
        and (not jobs or row.job_id in jobs or array in jobs)
        and (not regions or row.region in regions)
    )


def _flags(row: DispatchStatus) -> set[str]:
    found = {"late": row.late, "held": row.held, "waiting": row.waits_for}
    return {name for name, value in found.items() if value}


class _Clock:
    """Local times of a day; with their offset where an hour is skipped or repeated."""

    def __init__(self, zone: ZoneInfo, meta: PlanMeta) -> None:
        bounds = (meta.horizon_start, meta.horizon_end)
        self._zone = zone
        self._changes = len({b.astimezone(zone).utcoffset() for b in bounds}) > 1

    def __call__(self, instant: datetime | None) -> str:
        if instant is None:
            return "–"
        local = instant.astimezone(self._zone)
        if not self._changes:
            local = local.replace(tzinfo=None)
        return local.time().isoformat("seconds") + local.strftime("%z")


def _line(row: DispatchStatus, clock: _Clock, app: App) -> str:
    ran = f"{clock(row.started_at)} – {clock(row.ended_at)}"
    flags = _flags(row)
    state = next((flag for flag in ("held", "late") if flag in flags), row.state.value)
    parts = [
        f"{clock(row.planned_start)}  {state:<9} {row.job_id:<32} {row.region:<12}",
        f"attempt {row.attempt}" if row.attempt > 1 else "",
        ran if row.started_at else "",
        f"on {row.host}" if row.host else "",
        "" if row.exit_code is None else f"exit {row.exit_code}",
        f"{row.late_s:.0f} s late" if row.late_s and row.late_s >= 60 else "",
        row.held or "",
        f"waits for {row.waits_for}" if row.waits_for else "",
        row.reason or "",
        _output(row, app),
    ]
    return "  ".join(part for part in parts if part).rstrip()


def _output(row: DispatchStatus, app: App) -> str:
    """Where to look: what a failed job complained of, else what it said."""
    where = (row.stderr if row.state.value == "failed" else None) or row.stdout or ""
    return str(app.shown(Path(where))) if where.startswith("/") else where


def _totals(found: Standing, zone: ZoneInfo) -> list[str]:
    counts = Counter(row.state.value for row in found.rows)
    counts.update(flag for row in found.rows for flag in _flags(row))
    listed = ", ".join(f"{number} {state}" for state, number in sorted(counts.items()))
    lines = [f"plan {found.plan.meta.plan_id}: {listed or 'nothing to run'}"]
    if found.plan.meta.unplaced:
        lines[0] += f"; {found.plan.meta.unplaced:,} unplaced"
    due = _next_due(found.rows)
    if due is not None:
        lines[0] += f"; the next at {shown(due, zone)}"
    lines += [f"hold: {hold.words}" for hold in found.holds]
    lines += [
        f"asked, not done yet: {wish.verb} {wish.target} of {wish.date} by {wish.actor}"
        for wish in found.wishes
    ]
    return lines + [_silent(host, zone) for host in found.silent_hosts]


def _silent(host: SilentHost, zone: ZoneInfo) -> str:
    """A host that may be gone, and what to do if it is."""
    since = "not at work since that is noted"
    if host.seen_at is not None:
        since = f"last at work {shown(host.seen_at, zone)}"
    jobs = ", ".join(host.jobs[:_LISTED])
    if len(host.jobs) > _LISTED:
        jobs += f" and {len(host.jobs) - _LISTED:,} more"
    return (
        f"host {host.host}: {since}; it alone can tell what became of {jobs} "
        f"({', '.join(host.dates)}). If it is gone for good, say so: planner close"
    )


def _next_due(rows: Sequence[DispatchStatus]) -> datetime | None:
    due = [row.due_at for row in rows if row.state.value == "planned" and row.due_at]
    return min(due, default=None)


def _summary(found: Standing, rows: Sequence[DispatchStatus]) -> dict[str, Any]:
    counts = Counter(row.state.value for row in found.rows)
    due = _next_due(found.rows)
    return {
        "schema": 1,
        "plan_id": found.plan.meta.plan_id,
        "date": found.plan.meta.date.isoformat(),
        "unplaced": found.plan.meta.unplaced,
        "counts": dict(sorted(counts.items())),
        "late": sum(row.late for row in found.rows),
        "held": sum(row.held is not None for row in found.rows),
        "next_due_at": due and due.isoformat(),
        "holds": [hold.words for hold in found.holds],
        "wishes": [
            {"verb": w.verb, "target": w.target, "date": w.date, "actor": w.actor}
            for w in found.wishes
        ],
        "silent_hosts": [
            {**asdict(host), "seen_at": host.seen_at and host.seen_at.isoformat()}
            for host in found.silent_hosts
        ],
        "jobs": [_plain(row) for row in rows],
    }


def _plain(row: DispatchStatus) -> dict[str, Any]:
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in asdict(row).items()
    }

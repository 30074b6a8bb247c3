"""``planner execute``."""

from __future__ import annotations

import os
import socket
from dataclasses import asdict
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inputs.errors import PlannerError
from planner.cli.app import App, pass_app
from planner.cli.exit_codes import ExitCode
from planner.cli.instants import shown
from planner.cli.options import examples, json_option, log_option

if TYPE_CHECKING:
    from planner.executing import Run

_IS_NOW = timedelta(minutes=2)
"""An instant so near to the clock is what cron would have acted on, too."""

_WOULD = {"intent": "would start", "missed": "would miss"}


class Instant(click.ParamType[datetime]):
    """An ISO 8601 instant with an offset."""

    name = "instant"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read the instant; one without an offset means nothing."""
        try:
            instant = datetime.fromisoformat(value)
        except ValueError:
            instant = None
        if instant is None or instant.tzinfo is None:
            self.fail(f"{value!r} is not like 2026-11-22T03:00+01:00", param, ctx)
        return instant


@click.command(
    epilog=examples(
        "planner execute --once",
        "planner execute --watch",
        "planner execute --dry-run --now 2026-11-23T03:00+01:00",
    )
)
@click.option(
    "--plan",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Follow this plan; default: the newest valid one for now.",
)
@click.option("--once", is_flag=True, help="Do what is due and leave (the default).")
@click.option(
    "--watch", is_flag=True, help="Stay, and do what is due at every full minute."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; do nothing.")
@click.option(
    "--now",
    type=Instant(),
    help="Act as if it were this instant; to look ahead only, add --dry-run.",
)
@click.option(
    "--allow-root", is_flag=True, help="As root, start shell jobs all the same."
)
@log_option
@json_option
@click.pass_context
@pass_app
def command(
    app: App,
    ctx: click.Context,
    /,
    plan: Path | None,
    once: bool,
    watch: bool,
    dry_run: bool,
    now: datetime | None,
    allow_root: bool,
    as_json: bool,
) -> None:
    """Start the jobs that are due, each at most once.

    What ended since the last call is collected first. Made to be called by cron
    each minute, or to stay with --watch. Any number of them may overlap: one
    works, the others leave or wait.
    """
    plan_path = None if plan is None else app.directory / plan
    if watch:
        if once or dry_run or now is not None:
            raise click.UsageError(
                "--watch goes with neither --once, --dry-run nor --now"
            )
        from planner.cli.watching import stay

        ctx.exit(stay(app, plan_path, allow_root=allow_root, as_json=as_json))
    run = run_and_tell(
        app, plan_path, now=now, dry_run=dry_run, allow_root=allow_root, as_json=as_json
    )
    ctx.exit(ExitCode.DONE if dry_run else exit_code_of(run))


def run_and_tell(
    app: App,
    plan_path: Path | None,
    *,
    now: datetime | None,
    dry_run: bool,
    allow_root: bool,
    as_json: bool,
) -> Run:
    """Run once, print the result, and only then see to figures and alerts."""
    from planner.executing import execute
    from planner.overseeing import Overseer

    overseer = None if dry_run else Overseer.of(app.site(), app.logs.tell)
    began, place = app.timer(), app.place()
    instant = _instant(app, now, dry_run=dry_run)
    steady = app.steady() if now is None else None
    try:
        run = execute(
            place,
            plan_path=plan_path,
            now=instant,
            actor=actor(),
            dry_run=dry_run,
            forbidden=app.forbidden_back_ends(allow_root=allow_root),
            keep_runs_days=app.workspace().settings.executor.keep_runs_days,
            steady=steady,
        )
    except (PlannerError, OSError) as error:
        if overseer is not None:
            overseer.refused(error, now=instant, seconds=app.timer() - began)
        raise
    try:
        tell(app, run, as_json=as_json)
    finally:  # whatever becomes of the streams
        if overseer is not None:
            overseer.ran(run, now=instant, seconds=app.timer() - began)
    return run


def tell(app: App, run: Run, *, as_json: bool) -> None:
    """Tell programs and people what one run did."""
    from planner.operations.incidents import events_of, notes_of

    for event in events_of(run):
        app.logs.record(event)
    if as_json:
        for note in notes_of(run):
            app.logs.record(note)
        app.result_json(summary(run))
    else:
        show(app, run)


def exit_code_of(run: Run) -> ExitCode:
    """What one run's exit status tells."""
    if run.tick.troubled:
        return ExitCode.JOBS_FAILED
    return ExitCode.DEGRADED if run.passed_over else ExitCode.DONE


def actor() -> str:
    """Name of this executor, as the lease and the history show it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def _instant(app: App, asked: datetime | None, *, dry_run: bool) -> datetime:
    """Instant to act on; that real jobs start at another time is never silent."""
    clock = app.clock()
    if asked is None:
        return clock
    if abs(asked - clock) > _IS_NOW and not dry_run:
        app.note(
            f"note: acting as if it were {shown(asked, app.zone, seconds=True)}; "
            f"the clock says {shown(clock, app.zone, seconds=True)}. Jobs really "
            "start and are really missed; --dry-run only looks"
        )
    return asked


def show(app: App, run: Run) -> None:
    """Tell people what one run did."""
    from planner.operations.incidents import notes_of

    tick = run.tick
    for incident in notes_of(run):
        app.logs.tell(incident)
    if tick.at_work is not None:
        return
    for line in event_lines(run):
        click.echo(line)
    if tick.rehearsal and tick.missed:
        jobs = "1 job" if len(tick.missed) == 1 else f"{len(tick.missed)} jobs"
        click.echo(f"{jobs} would be missed if the executor ran first at this instant")
    click.echo(_ahead(run, app.zone))


def event_lines(run: Run) -> list[str]:
    """One line for each dispatch that a run touched."""
    tick, lines = run.tick, []
    for event in tick.events:
        what = event.state.value
        if tick.rehearsal:
            what = _WOULD.get(what, f"would be {what}")
        detail = f": {event.detail}" if event.detail else ""
        place = f"{event.job_id} in {event.region}"
        lines.append(f"{what:<{12 if tick.rehearsal else 9}} {place}{detail}")
    return lines


def _ahead(run: Run, zone: tzinfo) -> str:
    tick = run.tick
    ahead = f"{tick.planned} planned"
    if tick.next_due_at is not None:
        ahead += f", the next at {shown(tick.next_due_at, zone)}"
    for number, why in (
        (tick.waiting, "waiting for power"),
        (tick.dependent, "waiting for other jobs"),
        (tick.held, "held"),
        (tick.resting, "waiting for a busy back end"),
    ):
        ahead += f"; {number} {why}" if number else ""
    return ahead


def summary(run: Run) -> dict[str, Any]:
    """What one run did, for programs."""
    tick = run.tick
    return {
        "schema": 1,
        "at": tick.at.isoformat(),
        "plan": None if run.plan_path is None else str(run.plan_path),
        "plan_id": tick.plan_id,
        "at_work": tick.at_work,
        "dry_run": tick.rehearsal,
        "events": [
            {
                "key": event.key,
                "job_id": event.job_id,
                "segment": event.segment,
                "attempt": event.attempt,
                "region": event.region,
                "state": event.state.value,
                "detail": event.detail,
            }
            for event in tick.events
        ],
        "planned": tick.planned,
        "waiting": tick.waiting,
        "held": tick.held,
        "dependent": tick.dependent,
        "resting": tick.resting,
        "silent": [asdict(silence) for silence in tick.silences],
        "next_due_at": tick.next_due_at and tick.next_due_at.isoformat(),
        "skew_s": tick.skew.total_seconds(),
        "removed_runs": run.removed_runs,
        "passed_over": [
            {"plan": str(passed.path), "code": passed.code, "reason": passed.reason}
            for passed in run.passed_over
        ],
    }

"""``planner execute --watch``: stays, tells what happens, leaves when told to."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inputs.errors import PlannerError
from planner.cli.app import App
from planner.cli.execute import actor, event_lines, summary
from planner.cli.exit_codes import ExitCode
from planner.cli.leaving import leaving_on_signals

if TYPE_CHECKING:
    from planner.executing import Run


class Teller:
    """Says what changed; what stays as it is is not repeated every minute."""

    def __init__(self, app: App, *, as_json: bool) -> None:
        self._app = app
        self._as_json = as_json
        self._notes: set[str] = set()

    def tell(self, run: Run) -> None:
        """What one run did: its events, and why it could not do more."""
        tick = run.tick
        notes = [f"passed over {p.path}: {p.reason}" for p in run.passed_over]
        if tick.at_work is not None:
            notes.append("another executor is at work; waiting")
        elif run.plan_path is None:
            notes.append("there is no valid plan for now")
        if tick.skew:
            notes.append("the clock stands before that of the planner")
        self.note_new(*notes)
        if self._as_json:
            click.echo(json.dumps(summary(run), default=str, allow_nan=False))
            return
        for line in event_lines(run):
            click.echo(f"{_stamp(tick.at)} {line}")

    def note_new(self, *notes: str) -> None:
        """Tell what was not the case in the minute before."""
        for note in notes:
            if note not in self._notes:
                self._app.note(f"{_stamp(self._app.clock())} note: {note}")
        self._notes = set(notes)

    def jumped(self, by: timedelta) -> None:
        """The clock was set, or the machine slept."""
        way = "forward" if by > timedelta(0) else "back"
        self._app.note(
            f"{_stamp(self._app.clock())} note: the clock went {way} by {abs(by)}"
        )


def stay(
    app: App, plan_path: Path | None, *, allow_root: bool, as_json: bool
) -> ExitCode:
    """Run at every full minute until told to leave; what to end with.

    A fault of one minute (a busy ledger, a full disk, a clock that is wrong) is told
    and tried again in the next; only what cannot pass by itself ends the daemon.
    """
    from planner.executing import execute
    from planner.executor.backends.registry import load_all
    from planner.executor.errors import RootError
    from planner.executor.watching import watch

    place, teller = app.place(), Teller(app, as_json=as_json)
    backends = load_all(place)
    keep_runs_days = app.workspace().settings.executor.keep_runs_days
    forbidden = app.forbidden_back_ends(allow_root=allow_root)
    with leaving_on_signals() as leaving:

        def run(now: datetime) -> None:
            try:
                done = execute(
                    place,
                    plan_path=plan_path,
                    now=now,
                    actor=actor(),
                    backends=backends,
                    stop=leaving.told,
                    forbidden=forbidden,
                    keep_runs_days=keep_runs_days,
                )
            except RootError:
                raise
            except (PlannerError, OSError) as error:
                teller.note_new(str(error))
            else:
                teller.tell(done)

        watch(
            run,
            clock=app.clock,
            steady=app.timer,
            wait=leaving.wait,
            jumped=teller.jumped,
        )
        return leaving.exit_code


def _stamp(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

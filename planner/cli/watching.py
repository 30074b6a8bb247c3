"""``planner execute --watch``: stays, tells what happens, leaves when told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from inputs.errors import PlannerError
from planner.cli.app import App
from planner.cli.execute import actor, event_lines, summary
from planner.cli.exit_codes import ExitCode
from planner.cli.instants import shown
from planner.cli.leaving import leaving_on_signals
from planner.cli.streams import on_full_disks

if TYPE_CHECKING:
    from planner.executing import Run
    from planner.operations.incidents import Incident
    from planner.operations.metrics.endpoint import Latest
    from planner.overseeing import Overseer


class Teller:
    """Says what changed; what stays as it is is not repeated every minute."""

    def __init__(self, app: App, *, as_json: bool) -> None:
        self._app = app
        self._as_json = as_json
        self._known: set[tuple[str, str]] = set()

    def tell(self, run: Run) -> None:
        """What one run did: its events, and why it could not do more."""
        from planner.operations.incidents import events_of, notes_of

        self.note_new(*notes_of(run))
        for event in events_of(run):
            self._app.logs.record(event)
        if self._as_json:
            click.echo(json.dumps(summary(run), default=str, allow_nan=False))
            return
        for line in event_lines(run):
            click.echo(f"{self._stamp(run.tick.at)} {line}")

    def note_new(self, *incidents: Incident) -> None:
        """Tell what was not the case in the minute before."""
        known, self._known = self._known, set()
        for incident in incidents:
            same = (incident.code, incident.subject)
            self._known.add(same)
            if same not in known:
                self.note(incident)

    def note(self, incident: Incident) -> None:
        """Tell an incident, with its time where lines do not carry it anyway."""
        if self._app.logs.json:
            self._app.logs.record(incident)
        else:
            stamp = self._stamp(self._app.clock())
            self._app.note(f"{stamp} note: {incident.message}")

    def _stamp(self, instant: datetime) -> str:
        return shown(instant, self._app.zone, seconds=True)

    def jumped(self, by: timedelta) -> None:
        """The clock was set, or the machine slept."""
        from planner.operations.incidents import Incident, Level

        way = "forward" if by > timedelta(0) else "back"
        jump = Incident(
            code="clock-jumped",
            level=Level.WARNING,
            message=f"the clock went {way} by {abs(by)}",
            at=self._app.clock(),
            facts={"by_s": by.total_seconds()},
        )
        with on_full_disks():
            self.note(jump)


def stay(
    app: App, plan_path: Path | None, *, allow_root: bool, as_json: bool
) -> ExitCode:
    """Run at every full minute until told to leave; what to end with.

    A fault of one minute (a busy ledger, a full disk, a clock that is wrong) is told
    and tried again in the next; only what cannot pass by itself ends the daemon.
    """
    from planner.executing import execute
    from planner.executor.backends.registry import load_all
    from planner.executor.watching import watch

    place, teller = app.place(), Teller(app, as_json=as_json)
    work = partial(
        execute,
        place,
        plan_path=plan_path,
        actor=actor(),
        backends=load_all(place),
        forbidden=app.forbidden_back_ends(allow_root=allow_root),
        keep_runs_days=app.workspace().settings.executor.keep_runs_days,
    )
    with leaving_on_signals() as leaving, overseen(app, teller) as overseer:
        watch(
            lambda now: overseer.see_to(
                partial(work, now=now, stop=leaving.told, steady=app.steady()), now
            ),
            clock=app.clock,
            steady=app.timer,
            wait=leaving.wait,
            jumped=teller.jumped,
        )
        return leaving.exit_code


@contextmanager
def overseen(app: App, teller: Teller) -> Iterator[Watched]:
    """Figures and alerts of a daemon; its endpoint lives as long as the block."""
    from planner.operations.metrics.endpoint import Latest, serving
    from planner.overseeing import Overseer

    site, latest = app.site(), Latest(steady=app.timer)
    watched = Watched(Overseer.of(site, teller.note), latest, teller, app.timer)
    endpoint = site.metrics.endpoint
    if endpoint is None:
        yield watched
        return
    with serving(endpoint, latest) as port:
        app.note(f"note: figures at http://{site.metrics.listen}/metrics (port {port})")
        yield watched


class Watched:
    """A daemon's runs, seen to one by one.

    Parameters
    ----------
    overseer
        Sees to each.
    latest
        What the endpoint shows.
    teller
        Tells the user.
    timer
        A steady clock. [s]
    """

    def __init__(
        self,
        overseer: Overseer,
        latest: Latest,
        teller: Teller,
        timer: Callable[[], float],
    ) -> None:
        self._overseer = overseer
        self._latest = latest
        self._teller = teller
        self._timer = timer

    def see_to(self, work: Callable[[], Run], now: datetime) -> None:
        """One run, told of and counted, or why it was refused.

        Raises
        ------
        RootError
            As this cannot pass by itself.
        """
        from planner.executor.errors import RootError

        began = self._timer()
        try:
            run = work()
        except RootError:
            raise
        except (PlannerError, OSError) as error:
            self._refused(error, now=now, began=began)
        else:
            self._ran(run, now=now, began=began)

    def _ran(self, run: Run, *, now: datetime, began: float) -> None:
        with on_full_disks():
            self._teller.tell(run)
        seconds = self._timer() - began
        self._latest.ran()
        text = self._overseer.ran(run, now=now, seconds=seconds)
        if text is not None:
            self._latest.text = text

    def _refused(
        self, error: PlannerError | OSError, *, now: datetime, began: float
    ) -> None:
        from planner.operations.incidents import of_refusal

        with on_full_disks():
            self._teller.note_new(of_refusal(error, at=now))
        # The figures stay, and grow old.
        self._overseer.refused(error, now=now, seconds=self._timer() - began)

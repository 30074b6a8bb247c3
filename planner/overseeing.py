"""After a command: its figures and alerts. Nothing here can keep a job from running."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from inputs.errors import PlannerError
from outputs.plan import Plan, PlanMeta
from outputs.plan_file import read_plan
from planner.executing import Run, Steps, opened, plan_to_follow
from planner.executor.backends.registry import Place
from planner.operations.alerts.delivery import BOUND_S, LIMITS, Post
from planner.operations.budgets import nearly_spent, solar_budgets
from planner.operations.incidents import (
    Incident,
    Level,
    events_of,
    notes_of,
    of_refusal,
)
from planner.operations.metrics.exposition import text_of, write_textfile
from planner.operations.metrics.readings import read
from planner.operations.plan_incidents import of_plan
from planner.operations.run_record import note_run, read_record, record_path
from planner.operations.untold import untold
from planner.version import planner_version

if TYPE_CHECKING:
    from inputs.settings_operations import AlertTable, MetricsTable
    from planner.executor.backends.deadline import CallLimits

Log = Callable[[Incident], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What watching over a workspace needs to know.

    Parameters
    ----------
    place
        The workspace's folders and the executor's environment.
    metrics, alerts
        Tables of planner.toml.
    solar_budgets_kwh
        Budget per local day of each region that has one. [kWh]
    """

    place: Place
    metrics: MetricsTable
    alerts: tuple[AlertTable, ...]
    solar_budgets_kwh: Mapping[str, float] = field(default_factory=dict)

    @property
    def textfile(self) -> Path | None:
        """File for the node exporter, None if there is to be none."""
        name = self.metrics.textfile
        return None if name is None else self.place.workspace / name


@dataclass(frozen=True, slots=True, kw_only=True)
class Overseer:
    """Sees to figures and alerts of one site.

    Parameters
    ----------
    log
        Told of what goes wrong with them.
    bound_s
        Longest that a command waits for its alerts. [s]
    """

    site: Site
    log: Log
    post: Post
    bound_s: float = BOUND_S

    @classmethod
    def of(cls, site: Site, log: Log, *, limits: CallLimits = LIMITS) -> Overseer:
        """Overseer with the site's own channels."""
        post = Post(
            alerts=site.alerts,
            memory=site.place.outputs / "operations" / "alerts.sqlite",
            environ=site.place.environ,
            site=site.place.site or site.place.workspace.name,
            log=log,
            limits=limits,
            rng=Random(),
        )
        return cls(site=site, log=log, post=post)

    def ran(self, run: Run, *, now: datetime, seconds: float) -> bytes | None:
        """See to a run of the executor that ended in order.

        Returns
        -------
        bytes or None
            The figures, if ``[metrics]`` asks for any.
        """
        if run.tick.at_work is not None:
            return None  # the one at work sees to it
        self._note(now, seconds, None)
        self._alert([*notes_of(run), *events_of(run)], now, steps=run.steps)
        if self.site.textfile is None and self.site.metrics.listen is None:
            return None
        with self._harmless("metrics-failed", now):
            text = self.figures(_whole(run.plan, run.plan_path), now=now)
            if self.site.textfile is not None:
                write_textfile(self.site.textfile, text)
            return text
        return None

    def refused(
        self, error: PlannerError | OSError, *, now: datetime, seconds: float
    ) -> None:
        """See to a run of the executor that was refused."""
        incident = of_refusal(error, at=now)
        self._note(now, seconds, incident.code)
        self._alert([incident], now)

    def not_planned(self, error: PlannerError | OSError, *, now: datetime) -> None:
        """See to a night without a plan."""
        self._alert([of_refusal(error, at=now)], now)

    def planned(self, plan: Plan, *, now: datetime) -> None:
        """See to a plan that was written."""
        uses = solar_budgets(plan, self.site.solar_budgets_kwh)
        budgets = nearly_spent(uses, at=now, plan_id=plan.meta.plan_id)
        self._alert([*of_plan(plan.meta, at=now), *budgets], now)

    def figures(self, plan: Plan | None, *, now: datetime) -> bytes:
        """All figures as of now, as Prometheus reads them.

        Raises
        ------
        MetricsMissingError, ExecutionError
            If they cannot be had.
        """
        place = self.site.place
        with opened(place, now=now, rehearsal=True) as ledger:
            readings = read(
                ledger,
                plan,
                now=now,
                version=planner_version(),
                runs=read_record(record_path(place.outputs)),
                alerts=self._totals(),
                solar_budgets_kwh=self.site.solar_budgets_kwh,
            )
        return text_of(readings)

    def current_plan(self, now: datetime) -> Plan | None:
        """The newest valid plan for now."""
        place = self.site.place
        with opened(place, now=now, rehearsal=True) as ledger:
            plan, path, _ = plan_to_follow(place, None, now, ledger)
        return _whole(plan, path)

    def _totals(self) -> dict[tuple[str, str], int]:
        try:
            return self.post.totals()
        except (sqlite3.Error, OSError):
            return {}

    def _note(self, now: datetime, seconds: float, code: str | None) -> None:
        with self._harmless("run-record-failed", now):
            path = record_path(self.site.place.outputs)
            note_run(path, now=now, seconds=seconds, code=code)

    def _alert(
        self,
        incidents: Iterable[Incident],
        now: datetime,
        *,
        steps: Steps | None = None,
    ) -> None:
        """Tell of incidents; after a run, of what earlier ones did not live to tell."""
        with self._harmless("alerts-failed", now):
            if steps is None or not self.post.alerts:
                self.post.tell(incidents, now=now, bound_s=self.bound_s)
                return
            self.post.tell(
                [*self._untold(steps, now), *incidents],
                now=now,
                bound_s=self.bound_s,
                up_to=(steps.site, steps.after),
            )

    def _untold(self, steps: Steps, now: datetime) -> Iterator[Incident]:
        told = self.post.told(steps.site)
        if told is not None and told >= steps.before:
            return
        with opened(self.site.place, now=now, rehearsal=True) as ledger:
            yield from untold(ledger, steps, told=told, now=now)

    @contextmanager
    def _harmless(self, code: str, now: datetime) -> Iterator[None]:
        """What fails inside is told, and goes no further."""
        try:
            yield
        except (PlannerError, OSError, sqlite3.Error) as error:
            self.log(Incident(code=code, level=Level.ERROR, message=str(error), at=now))


def _whole(plan: Plan | PlanMeta | None, path: Path | None) -> Plan | None:
    """A plan with its rows, which the executor does not read twice."""
    if isinstance(plan, PlanMeta):
        assert path is not None
        return read_plan(path)
    return plan

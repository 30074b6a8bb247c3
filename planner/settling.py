"""The settlement of one day: plan, ledger and actual values become evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from forecasts.desk import client_for
from forecasts.gathering import ForecastSet
from forecasts.series import Signal
from forecasts.snapshot import read_snapshot
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid
from outputs.evidence import Evidence, evidence_path, write_evidence
from outputs.plan import Plan, PlanMeta
from outputs.plan_file import read_plan
from outputs.plan_name import plan_path
from outputs.plan_store import find_plan
from planner.executing import opened
from planner.executor.backends.registry import Place
from planner.recall import snapshot_path
from planner.settlement.attempts import (
    Attempts,
    attempts_of,
    digest_of,
    earlier_attempts,
)
from planner.settlement.columns import Work, inside, jobs_of, work_of
from planner.settlement.errors import SettlementError
from planner.settlement.hindsight import Hindsight, best_in_hindsight
from planner.settlement.settled import Settled
from planner.settlement.stages import Stages, price_stages
from planner.settlement.sums import evidence_of
from planner.settlement.values import Values, values_of_day
from planner.settlement.work import known_regions, meter, segments_of
from solvers.metered import load_of
from solvers.problem import Places
from solvers.solution import SolveOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class SettleRequest:
    """What is asked of one settlement.

    Parameters
    ----------
    workspace, place
        Where, for the planner and for the executor.
    day
        The planned date.
    options
        What the solver is told that looks for the best plan in hindsight.
    """

    workspace: Workspace
    place: Place
    day: date
    options: SolveOptions


def settle_day(
    request: SettleRequest, *, now: datetime, environment: Mapping[str, str]
) -> tuple[Path, Evidence]:
    """Settle a day and write its evidence; may be done again at any time.

    Parameters
    ----------
    request
        What is asked.
    now
        The clock, aware.
    environment
        Variables, for what must be read anew.

    Raises
    ------
    PlanError, ExecutionError, InputError, ForecastError, SettlementError
        Nothing was written.
    """
    notes: list[str] = []
    desk = _asked(request, _read(request, now), now, environment, notes)
    settled = _settle(request, desk, now, environment, notes)
    path = evidence_path(request.workspace.outputs, request.day)
    return path, write_evidence(evidence_of(settled), path)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Desk:
    """All that was read of a day."""

    plan: Plan
    path: Path
    attempts: Attempts
    earlier: Attempts
    ledger_digest: str

    @property
    def grid(self) -> TimeGrid:
        """The slots of the plan, whatever planner.toml says by now."""
        return grid_of_plan(self.plan.meta)


def grid_of_plan(meta: PlanMeta) -> TimeGrid:
    """Slots that a plan was made for."""
    step = timedelta(minutes=meta.slot_minutes)
    return TimeGrid(
        date=meta.date,
        timezone=meta.timezone,
        start=meta.horizon_start,
        step=step,
        n_slots=(meta.horizon_end - meta.horizon_start) // step,
    )


def _read(request: SettleRequest, now: datetime) -> _Desk:
    """Plan and ledger; the plan is the one that the executor followed last."""
    day = request.day.isoformat()
    with opened(request.place, now=now, rehearsal=True) as ledger:
        followed = ledger.newest_followed(day)
        path = _plan_file(
            request.workspace,
            request.day,
            None if followed is None else followed.plan_id,
        )
        plan = read_plan(path)
        start_us = grid_of_plan(plan.meta).start_us
        attempts = attempts_of(ledger, day)
        return _Desk(
            plan=plan,
            path=path,
            attempts=attempts,
            earlier=earlier_attempts(ledger, day, since_us=start_us),
            ledger_digest=digest_of(attempts),
        )


def _plan_file(workspace: Workspace, day: date, plan_id: str | None) -> Path:
    plans = workspace.outputs / "plans"
    if plan_id is not None:
        stored = find_plan(plans, plan_id, first=day, last=day)
        if stored is not None:
            return stored.path
    path = plan_path(plans, day)
    if not path.exists():
        raise SettlementError(
            f"{path}: no such file; a day is settled against the plan made before it"
        )
    return path


def _asked(
    request: SettleRequest,
    desk: _Desk,
    now: datetime,
    environment: Mapping[str, str],
    notes: list[str],
) -> _Desk:
    """The day with the energy that a meter knows and no job told."""
    table = request.workspace.settings.energy.prometheus
    if table is None:
        return desk
    from planner.settlement.prometheus import metered_by_query

    http = client_for(request.workspace, now, environment)
    answers = metered_by_query(desk.attempts, table, http=http, environment=environment)
    notes += answers.notes
    return replace(desk, attempts=answers.attempts)


def _settle(
    request: SettleRequest,
    desk: _Desk,
    now: datetime,
    environment: Mapping[str, str],
    notes: list[str],
) -> Settled:
    workspace = request.workspace
    found = segments_of(desk.plan, desk.attempts)
    work = work_of(found, workspace, desk.grid.start_us)
    values = _values(request, desk, work, now, notes)
    places = _places(workspace, desk, values)
    best = best_in_hindsight(
        workspace,
        desk.path,
        ran=jobs_of(work),
        values=values,
        solar_kwh=places.solar_kwh,
        options=request.options,
        now=now,
        environment=environment,
    )
    if isinstance(best, Hindsight):
        work = replace(work, segments=replace(work.segments, place_kg=best.place_kg))
    elif workspace.settings.transfer.kwh_per_gb:
        notes.append("moving data is not counted: the manifests have changed since")
    return Settled(
        workspace=workspace,
        plan=desk.plan,
        ledger_digest=desk.ledger_digest,
        found=found,
        work=work,
        stages=_stages(work, values, places, best),
        hindsight=best,
        values=values,
        places=places,
        now=now,
        notes=tuple(notes),
    )


def _stages(
    work: Work, values: Values, places: Places, best: Hindsight | str
) -> Stages:
    return price_stages(
        places,
        work.segments,
        work.attempted,
        step_us=values.grid.step_us,
        hindsight=None if isinstance(best, str) else (best.region, best.start_us),
    )


def _places(workspace: Workspace, desk: _Desk, values: Values) -> Places:
    """Intensity, and the sun that work of earlier dates left over."""
    regions = {region.name: r for r, region in enumerate(workspace.regions)}
    pue = [region.pue for region in workspace.regions]
    before = desk.earlier.among(known_regions(desk.earlier.rows["region"], regions))
    runs = meter(before, regions, pue).runs(values.grid.start_us)
    whole = values.places(workspace, np.zeros_like(values.forecasts.g_per_kwh))
    taken = load_of(whole, inside(runs, values.grid), step_us=values.grid.step_us)
    return values.places(workspace, taken)


def _values(
    request: SettleRequest, desk: _Desk, work: Work, now: datetime, notes: list[str]
) -> Values:
    """Actual values on all slots that any stage uses."""
    grid = desk.grid
    n_slots = max(grid.n_slots, -(-work.last_us() // grid.step_us))
    return values_of_day(
        request.workspace,
        replace(grid, n_slots=n_slots),
        planned=_trusted(request.workspace, desk, notes),
        signal=_signal(desk.plan.meta),
        now=now,
    )


def _trusted(workspace: Workspace, desk: _Desk, notes: list[str]) -> ForecastSet | None:
    path = snapshot_path(workspace, desk.plan)
    if path.exists():
        return read_snapshot(path, desk.grid)
    notes.append("the forecasts of the plan are gone: missing hours have no stand-in")
    return None


def _signal(meta: PlanMeta) -> Signal | None:
    for use in meta.forecasts:
        if use.series == "carbon" and use.signal:
            return Signal(use.signal)
    return None

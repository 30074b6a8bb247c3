"""The settlement of one day: plan, ledger and actual values become evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np

from forecasts.gathering import ForecastSet
from forecasts.series import Signal
from forecasts.snapshot import read_snapshot
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid
from outputs.evidence import Evidence, evidence_path, write_evidence
from outputs.plan import Plan, PlanMeta
from outputs.plan_file import read_plan
from outputs.plan_store import plan_path, valid_plans
from planner.executing import opened
from planner.executor.backends.registry import Place
from planner.recall import snapshot_path
from planner.settlement.attempts import (
    Attempt,
    attempts_of,
    digest_of,
    earlier_attempts,
)
from planner.settlement.documents import Settled, evidence_of
from planner.settlement.hindsight import Hindsight, Ran, best_in_hindsight
from planner.settlement.stages import Attempted, Segments, price_stages
from planner.settlement.values import Values, values_of_day
from planner.settlement.work import (
    Ending,
    Segment,
    index_of,
    meter,
    runs_of,
    segments_of,
)
from solvers.evaluate import IndexArray
from solvers.metered import Runs, load_of
from solvers.problem import FloatArray
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
    desk = _read(request, now)
    settled = _settle(request, desk, now, environment)
    path = evidence_path(request.workspace.outputs, request.day)
    return path, write_evidence(evidence_of(settled), path)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Desk:
    """All that was read of a day."""

    plan: Plan
    path: Path
    attempts: tuple[Attempt, ...]
    earlier: tuple[Attempt, ...]

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
        return _Desk(
            plan=plan,
            path=path,
            attempts=tuple(attempts_of(ledger, day)),
            earlier=tuple(earlier_attempts(ledger, day, since_us=start_us)),
        )


def _plan_file(workspace: Workspace, day: date, plan_id: str | None) -> Path:
    plans = workspace.outputs / "plans"
    if plan_id is not None:
        for stored in valid_plans(plans):
            if stored.meta.plan_id == plan_id:
                return stored.path
    return plan_path(plans, day)


def _settle(
    request: SettleRequest, desk: _Desk, now: datetime, environment: Mapping[str, str]
) -> Settled:
    workspace = request.workspace
    found = segments_of(desk.plan, desk.attempts)
    regions = {region.name: r for r, region in enumerate(workspace.regions)}
    pue = [region.pue for region in workspace.regions]
    ran = [segment for segment in found if segment.ending is Ending.RAN]
    metered = [[meter(a, regions, pue) for a in segment.ran] for segment in ran]
    before = [meter(a, regions, pue) for a in desk.earlier if a.region in regions]

    origin_us = desk.grid.start_us
    segments = _segments(ran, regions, origin_us)
    attempted = Attempted(
        segment=np.repeat(np.arange(len(ran)), [len(tries) for tries in metered]),
        runs=runs_of((one for tries in metered for one in tries), origin_us=origin_us),
    )
    notes: list[str] = []
    values = _values(request, desk, segments, attempted, now, notes)
    places = values.places(workspace, np.zeros_like(values.forecasts.g_per_kwh))
    step_us = values.grid.step_us
    taken = load_of(
        places,
        _inside(runs_of(before, origin_us=origin_us), values.grid),
        step_us=step_us,
    )
    places = values.places(workspace, taken)
    best: Hindsight | str = best_in_hindsight(
        workspace,
        desk.path,
        ran=_jobs(ran),
        values=values,
        solar_kwh=places.solar_kwh,
        options=request.options,
        now=now,
        environment=environment,
    )
    if isinstance(best, Hindsight):
        segments = replace(segments, place_kg=best.place_kg)
    elif workspace.settings.transfer.kwh_per_gb:
        notes.append("moving data is not counted: the manifests have changed since")
    stages = price_stages(
        places,
        segments,
        attempted,
        step_us=step_us,
        hindsight=None if isinstance(best, str) else (best.region, best.start_us),
    )
    return Settled(
        workspace=workspace,
        plan=desk.plan,
        ledger_digest=digest_of(desk.attempts),
        found=found,
        ran=ran,
        metered=metered,
        segments=segments,
        attempted=attempted,
        stages=stages,
        hindsight=best,
        values=values,
        places=places,
        now=now,
        notes=tuple(notes),
    )


def _jobs(ran: Sequence[Segment]) -> Ran:
    return Ran(
        job_ids=[segment.job_id for segment in ran],
        planned_us=[s.planned["end"] - s.planned["start"] for s in ran],
    )


def _segments(
    ran: Sequence[Segment], regions: Mapping[str, int], origin_us: int
) -> Segments:
    """What was planned of the segments that ran; nothing is known of their data yet."""
    rows = [segment.planned for segment in ran]
    base = [row["baseline_region"] for row in rows]
    known = [
        name in regions and row["baseline_start"] is not None
        for name, row in zip(base, rows, strict=True)
    ]

    def column(name: str) -> FloatArray:
        return np.array([row[name] for row in rows], dtype=np.float64)

    def instants(name: str) -> IndexArray:
        return np.array([row[name] or origin_us for row in rows], np.int64) - origin_us

    return Segments(
        region=np.array(
            [index_of(row["region"], regions, row["job_id"]) for row in rows], np.intp
        ),
        start_us=instants("start"),
        end_us=instants("end"),
        energy_kwh=column("energy_kwh"),
        baseline_region=np.array(
            [regions[b] if k else -1 for b, k in zip(base, known, strict=True)], np.intp
        ),
        baseline_start_us=instants("baseline_start"),
        place_kg=np.zeros((len(rows), len(regions))),
    )


def _values(
    request: SettleRequest,
    desk: _Desk,
    segments: Segments,
    attempted: Attempted,
    now: datetime,
    notes: list[str],
) -> Values:
    """Actual values on all slots that any stage uses."""
    grid = desk.grid
    ends = [segments.end_us, attempted.runs.end_us]
    length = segments.end_us - segments.start_us
    ends.append(attempted.runs.start_us[attempted.first] + length)
    kept = segments.has_baseline[attempted.segment]
    first = attempted.runs.start_us[attempted.first]
    moved = (segments.baseline_start_us - first)[attempted.segment]
    ends.append((attempted.runs.end_us + moved)[kept])
    last_us = max((int(column.max(initial=0)) for column in ends), default=0)
    n_slots = max(grid.n_slots, -(-(last_us + 1) // grid.step_us))
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


def _inside(runs: Runs, grid: TimeGrid) -> Runs:
    """The part of earlier work that lies on the slots."""
    end_us = grid.n_slots * grid.step_us
    begin = np.clip(runs.start_us, 0, end_us)
    stop = np.clip(runs.end_us, 0, end_us)
    length = np.maximum(runs.end_us - runs.start_us, 1)
    kept = stop > begin
    part = (stop - begin) / length
    return Runs(
        region=runs.region[kept],
        start_us=begin[kept],
        end_us=stop[kept],
        energy_kwh=(runs.energy_kwh * part)[kept],
    )

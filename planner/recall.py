"""A planned day as it was: its inputs, and the forecasts that the plan trusted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from forecasts.gathering import ForecastSet, gather
from forecasts.snapshot import read_snapshot
from inputs.manifests import load_jobs
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid
from outputs.errors import StalePlanError
from outputs.plan import Plan, PlanMeta
from outputs.plan_file import read_plan
from outputs.plan_store import find_plan
from planner.begun import from_now_on
from planner.day import Day, assemble_day, grid_of
from planner.warnings import left_out


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RecalledDay:
    """The day behind a plan file.

    Parameters
    ----------
    plan
        The plan.
    day
        Jobs, forecasts and problem of its date.
    notes
        What differs from when the plan was made, one sentence each.
    """

    plan: Plan
    day: Day
    notes: tuple[str, ...]


def snapshot_path(workspace: Workspace, plan: Plan) -> Path:
    """Where the forecasts that a plan trusts are kept."""
    return workspace.outputs / "forecasts" / f"{plan.meta.plan_id}.parquet"


def recall_day(
    workspace: Workspace, path: Path, *, now: datetime, environment: Mapping[str, str]
) -> RecalledDay:
    """Put the day of a plan file together again from the files of its workspace.

    The forecasts are those that the plan trusted, from the snapshot beside it; if
    that is gone, they are gathered anew and a note says so.

    Parameters
    ----------
    workspace
        Where the plan was made.
    path
        The plan file.
    now, environment
        For forecasts that must be gathered anew.

    Raises
    ------
    PlanFormatError
        If the file is not a whole, undamaged plan.
    StalePlanError
        If planner.toml makes other slots of the date than the plan has.
    InputError, ForecastError
        If the inputs cannot be read any more.
    """
    plan = read_plan(path)
    grid = grid_of(workspace, plan.meta.date)
    _refuse_other_slots(path, plan.meta, grid)
    notes = [*_changed_inputs(workspace, plan)]
    forecasts = _trusted_forecasts(workspace, plan, grid)
    if forecasts is None:
        notes.append("the forecasts of this plan are gone; these are gathered anew")
        forecasts = gather(workspace, grid, now=now, environment=environment)
    earlier_plan = _earlier_plan(workspace, plan)
    if plan.meta.carry_over is not None and earlier_plan is None:
        notes.append(f"the earlier plan {plan.meta.carry_over} is gone")
    loaded = from_now_on(load_jobs(workspace, grid), grid, plan.meta.created_at)
    notes += left_out(loaded)
    day = assemble_day(
        workspace,
        grid,
        loaded=loaded,
        forecasts=forecasts,
        earlier_plan=earlier_plan,
    )
    return RecalledDay(plan=plan, day=day, notes=tuple(notes))


def _refuse_other_slots(path: Path, meta: PlanMeta, grid: TimeGrid) -> None:
    minutes = grid.step // timedelta(minutes=1)
    made = (meta.horizon_start, meta.horizon_end, meta.slot_minutes, meta.timezone)
    if made == (grid.start, grid.end, minutes, grid.timezone):
        return
    slots = (meta.horizon_end - meta.horizon_start) // timedelta(
        minutes=meta.slot_minutes
    )
    raise StalePlanError(
        f"{path}: made for {slots} slots of {meta.slot_minutes} min from "
        f"{meta.horizon_start.isoformat()} ({meta.timezone}), but planner.toml now "
        f"means {grid.n_slots} slots of {minutes} min from {grid.start.isoformat()} "
        f"({grid.timezone}); put it back, or plan the day anew"
    )


def _changed_inputs(workspace: Workspace, plan: Plan) -> Iterator[str]:
    for file in plan.meta.inputs:
        path = workspace.root / file.path
        if not path.exists():
            yield f"{file.path} is gone since the plan was made"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
            yield f"{file.path} has changed since the plan was made"


def _trusted_forecasts(
    workspace: Workspace, plan: Plan, grid: TimeGrid
) -> ForecastSet | None:
    path = snapshot_path(workspace, plan)
    return read_snapshot(path, grid) if path.exists() else None


def _earlier_plan(workspace: Workspace, plan: Plan) -> Plan | None:
    """The earlier plan that this one names, if it is still there."""
    if plan.meta.carry_over is None:
        return None
    stored = find_plan(
        workspace.outputs / "plans", plan.meta.carry_over, last=plan.meta.date
    )
    return None if stored is None else read_plan(stored.path)

"""A written plan against the inputs that it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from forecasts.gathering import ForecastSet, gather
from forecasts.snapshot import read_snapshot
from inputs.manifests import load_jobs
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid
from outputs.carry_over import EarlierWork, earlier_work
from outputs.check import Violation, check_plan
from outputs.plan import Plan
from outputs.plan_file import read_plan
from outputs.plan_store import valid_plans
from planner.day import grid_of
from planner.pipeline import snapshot_path


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """Outcome of checking a plan file.

    Parameters
    ----------
    path, plan_id
        Which plan.
    violations
        Every limit and number that does not hold.
    notes
        What a reader must know: inputs that changed since, forecasts fetched anew.
    """

    path: Path
    plan_id: str
    violations: tuple[Violation, ...]
    notes: tuple[str, ...]


def check_file(
    workspace: Workspace, path: Path, *, now: datetime, environment: Mapping[str, str]
) -> Checked:
    """Re-do a plan's arithmetic from the files of its workspace.

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
    InputError, ForecastError
        If the inputs cannot be read any more.
    """
    plan = read_plan(path)
    grid = grid_of(workspace, plan.meta.date)
    loaded = load_jobs(workspace, grid)
    notes = [*_changed_inputs(workspace, plan)]
    forecasts = _forecasts(workspace, plan, grid)
    if forecasts is None:
        notes.append("the forecasts of this plan are gone; checked against new ones")
        forecasts = gather(workspace, grid, now=now, environment=environment)
    violations = check_plan(
        plan,
        jobs=loaded.jobs,
        settings=workspace.settings,
        grid=grid,
        carbon=forecasts.g_per_kwh,
        solar_kw=forecasts.solar_kw,
        price=forecasts.price_per_kwh,
        earlier=_earlier(workspace, plan, grid, loaded.jobs.resource_names),
    )
    return Checked(
        path=path,
        plan_id=plan.meta.plan_id,
        violations=tuple(violations),
        notes=tuple(notes),
    )


def _changed_inputs(workspace: Workspace, plan: Plan) -> Iterator[str]:
    for file in plan.meta.inputs:
        path = workspace.root / file.path
        if not path.exists():
            yield f"{file.path} is gone since the plan was made"
        elif hashlib.sha256(path.read_bytes()).hexdigest() != file.sha256:
            yield f"{file.path} has changed since the plan was made"


def _forecasts(workspace: Workspace, plan: Plan, grid: TimeGrid) -> ForecastSet | None:
    path = snapshot_path(workspace, plan)
    return read_snapshot(path, grid) if path.exists() else None


def _earlier(
    workspace: Workspace, plan: Plan, grid: TimeGrid, resources: tuple[str, ...]
) -> EarlierWork | None:
    """Work of the earlier plan that this one names."""
    if plan.meta.carry_over is None:
        return None
    for stored in valid_plans(workspace.outputs / "plans"):
        if stored.meta.plan_id == plan.meta.carry_over:
            return earlier_work(
                read_plan(stored.path),
                at=grid.start,
                regions=[region.name for region in workspace.regions],
                resources=resources,
            )
    return None

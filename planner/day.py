"""Everything that is known of one day before it is planned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from forecasts.gathering import ForecastSet, gather
from inputs.errors import ManifestError
from inputs.manifests import LoadedJobs, load_jobs
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid, day_grid, resolve_date
from outputs.carry_over import EarlierWork, earlier_work, occupancy
from outputs.plan import Plan
from outputs.plan_file import read_plan
from outputs.plan_store import newest_plan_before
from planner.begun import from_now_on
from planner.formulate import Formulation, formulate
from planner.stopwatch import Stopwatch


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Day:
    """One date of a workspace: its jobs, forecasts and problem.

    Parameters
    ----------
    workspace, grid
        Where and when.
    loaded
        Jobs of all readable manifests, and what was wrong with the others.
    forecasts
        What the plan trusts.
    earlier_plan, earlier
        Plan of an earlier date and its work that still runs at midnight; None
        when there is no earlier plan.
    formulation
        The problem, and the way back from it to the jobs.
    """

    workspace: Workspace
    grid: TimeGrid
    loaded: LoadedJobs
    forecasts: ForecastSet
    earlier_plan: Plan | None
    earlier: EarlierWork | None
    formulation: Formulation


def grid_of(workspace: Workspace, day: date) -> TimeGrid:
    """The slots of a date in a workspace."""
    planner = workspace.settings.planner
    return day_grid(
        day,
        timezone=planner.timezone,
        slot_minutes=planner.slot_minutes,
        horizon_hours=planner.horizon_hours,
    )


def two_days_of(workspace: Workspace, now: datetime) -> TimeGrid:
    """The slots of today and tomorrow in a workspace: what to fetch forecasts for."""
    planner = workspace.settings.planner
    return day_grid(
        resolve_date("today", now=now, timezone=planner.timezone),
        timezone=planner.timezone,
        slot_minutes=planner.slot_minutes,
        horizon_hours=48,
    )


def prepare_day(
    workspace: Workspace,
    day: date,
    *,
    now: datetime,
    environment: Mapping[str, str],
    watch: Stopwatch,
) -> Day:
    """Read jobs, forecasts and earlier work of a date, and state the problem.

    Parameters
    ----------
    workspace
        Where.
    day
        The planned local date.
    now
        The clock, for the age of forecasts; no job starts before it.
    environment
        Variables from which providers take their keys.
    watch
        Measures the stages load, forecast and formulate.

    Raises
    ------
    InputError
        If no manifest can be read.
    ForecastError
        If a series cannot be had from any source.
    """
    grid = grid_of(workspace, day)
    with watch.stage("load", "reading job manifests"):
        loaded = from_now_on(load_jobs(workspace, grid), grid, now)
        _require_a_readable_manifest(loaded)
        stored = newest_plan_before(workspace.outputs / "plans", grid.date)
        earlier_plan = None if stored is None else read_plan(stored.path)
    with watch.stage("forecast", "reading forecasts"):
        forecasts = gather(workspace, grid, now=now, environment=environment)
    with watch.stage("formulate", f"formulating {len(loaded.jobs):,} jobs"):
        return assemble_day(
            workspace,
            grid,
            loaded=loaded,
            forecasts=forecasts,
            earlier_plan=earlier_plan,
        )


def assemble_day(
    workspace: Workspace,
    grid: TimeGrid,
    *,
    loaded: LoadedJobs,
    forecasts: ForecastSet,
    earlier_plan: Plan | None,
) -> Day:
    """State the problem of a day whose inputs are at hand.

    Parameters
    ----------
    workspace, grid
        Where and when.
    loaded, forecasts
        What was read.
    earlier_plan
        Plan of an earlier date whose work may still run at midnight.
    """
    earlier = (
        None
        if earlier_plan is None
        else _still_running(earlier_plan, workspace, loaded, grid)
    )
    held = (
        None
        if earlier is None
        else occupancy(earlier, grid, n_regions=len(workspace.regions))
    )
    return Day(
        workspace=workspace,
        grid=grid,
        loaded=loaded,
        forecasts=forecasts,
        earlier_plan=earlier_plan,
        earlier=earlier,
        formulation=formulate(
            loaded.jobs,
            settings=workspace.settings,
            grid=grid,
            forecasts=forecasts,
            earlier=held,
        ),
    )


def _require_a_readable_manifest(loaded: LoadedJobs) -> None:
    """Some broken manifests are left out; when all jobs are lost, that is refused."""
    if loaded.broken and not len(loaded.jobs):
        raise ManifestError([f for error in loaded.broken for f in error.findings])


def _still_running(
    plan: Plan, workspace: Workspace, loaded: LoadedJobs, grid: TimeGrid
) -> EarlierWork:
    """Work of an earlier plan that runs when this day begins."""
    return earlier_work(
        plan,
        at=grid.start,
        regions=[region.name for region in workspace.regions],
        resources=loaded.jobs.resource_names,
    )

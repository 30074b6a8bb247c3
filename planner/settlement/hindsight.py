"""The best plan that could have been made, had grid and sky been known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs.errors import PlannerError
from inputs.settings import Workspace
from planner.day import Day, assemble_day
from planner.recall import recall_day
from planner.reporting import planned_run
from planner.settlement.values import Values
from solvers.evaluate import IndexArray, evaluate
from solvers.neighbourhood.subproblem import rows_of
from solvers.problem import FloatArray, Int64Array, Problem
from solvers.registry import load
from solvers.solution import Schedule, SolveOptions, Status, relative_gap

_TOLERANCE_US = 1000


class _CannotTellError(PlannerError):
    """The manifests no longer say what the plan was made from."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Hindsight:
    """The best plan for the segments that ran, with planned durations and energies.

    Parameters
    ----------
    region, start_us
        Of each segment, from the start of the first slot, shape (n_segments,).
    place_kg
        Emissions of moving each segment's data, shape (n_segments, n_regions).
    objective, bound, gap, status, solver
        How good it is proven to be, by the weights of the workspace.
    """

    region: IndexArray
    start_us: Int64Array
    place_kg: FloatArray
    objective: float
    bound: float | None
    gap: float | None
    status: Status
    solver: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ran:
    """Segments that ran: their jobs, and the planned running time of each. [µs]"""

    job_ids: pa.ChunkedArray
    planned_us: Int64Array


def best_in_hindsight(
    workspace: Workspace,
    plan_path: Path,
    *,
    ran: Ran,
    values: Values,
    solar_kwh: FloatArray,
    options: SolveOptions,
    now: datetime,
    environment: Mapping[str, str],
) -> Hindsight | str:
    """Plan the jobs that ran once more, with the values that came true.

    Parameters
    ----------
    plan_path
        The plan; its jobs are read from the manifests once more.
    ran
        What ran.
    values
        What grid and sky did.
    solar_kwh
        Sun left for jobs, shape (n_regions, n_slots at least). [kWh]

    Returns
    -------
    Hindsight or str
        Why it cannot be told, where the manifests have changed since.
    """
    try:
        recalled = recall_day(workspace, plan_path, now=now, environment=environment)
        day = assemble_day(
            workspace,
            recalled.day.grid,
            loaded=recalled.day.loaded,
            forecasts=values.on_planned_slots(recalled.day.grid),
            earlier_plan=recalled.day.earlier_plan,
        )
        rows = _rows(day, ran)
        planned = planned_run(day, recalled.plan).schedule
    except PlannerError as error:
        return str(error)
    n = day.grid.n_slots
    whole = day.formulation.problem
    places = replace(whole.places, solar_kwh=solar_kwh[:, :n].copy())
    problem = Problem(places=places, jobs=rows_of(whole.jobs, rows))
    hint = Schedule(region=planned.region[rows], start=planned.start[rows])
    return _solved(problem, hint, options, step_us=day.grid.step_us)


def _solved(
    problem: Problem, hint: Schedule, options: SolveOptions, *, step_us: int
) -> Hindsight:
    """The better of a solver's plan and the plan that was made."""
    solution = load("auto").solve(problem, options, hint=hint)
    offered = [hint] if solution.schedule is None else [solution.schedule, hint]
    priced = [(evaluate(problem, one).objective, one) for one in offered]
    objective, schedule = min(priced, key=lambda pair: pair[0])
    bound = solution.bound
    if bound is not None:
        bound = min(bound, objective)
    return Hindsight(
        region=schedule.region.astype(np.intp),
        start_us=schedule.start.astype(np.int64) * step_us,
        place_kg=problem.jobs.place_kg,
        objective=objective,
        bound=bound,
        gap=relative_gap(objective, bound),
        status=solution.status,
        solver=solution.stats.solver,
    )


def _rows(day: Day, ran: Ran) -> Int64Array:
    """Row of the problem of each segment that ran."""
    ids = day.loaded.jobs.ids.take(pa.array(day.formulation.rows))
    wanted = ran.job_ids
    at = pc.index_in(wanted, ids)
    if at.null_count:
        gone = wanted.filter(at.is_null())[0]
        raise _CannotTellError(f'job "{gone}" is not in the manifests any more')
    if len(pc.unique(wanted)) != len(wanted):
        raise _CannotTellError("a job ran in several segments")
    rows: Int64Array = at.to_numpy().astype(np.int64)
    durations = day.loaded.jobs.duration_us[day.formulation.rows[rows]]
    other = np.abs(durations - ran.planned_us) > _TOLERANCE_US
    if other.any():
        job = ran.job_ids[int(np.argmax(other))]
        raise _CannotTellError(f'the manifests give job "{job}" another duration now')
    return rows

"""The report of a written plan: its schedule read back, its baselines run again."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs.settings import Workspace
from outputs.errors import StalePlanError
from outputs.evidence import Evidence, evidence_path, read_evidence
from outputs.plan import Plan
from outputs.report import Report, ReportPaths, write_report
from planner.comparing import compare
from planner.day import Day
from planner.limit_prices import recalled_prices
from planner.policies import PolicyRun, run_baselines
from planner.recall import recall_day
from planner.stopwatch import Stopwatch
from solvers.evaluate import evaluate
from solvers.solution import UNPLACED, Schedule, Solution, SolveOptions, Stats, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A report that was written.

    Parameters
    ----------
    paths
        Its files.
    notes
        What a reader must know, also told in the report: inputs that changed since.
    """

    paths: ReportPaths
    notes: tuple[str, ...]


def report_plan(
    workspace: Workspace,
    path: Path,
    folder: Path,
    *,
    now: datetime,
    environment: Mapping[str, str],
) -> Reported:
    """Write the report of a plan file.

    Parameters
    ----------
    workspace
        Where the plan was made.
    path
        The plan file.
    folder
        Where to write; made if need be.
    now, environment
        For forecasts that must be gathered anew.

    Raises
    ------
    StalePlanError
        If the workspace has other jobs or regions by now than the plan.
    PlanError, InputError, ForecastError
        If the plan or its inputs cannot be read any more.
    """
    recalled = recall_day(workspace, path, now=now, environment=environment)
    _refuse_strangers(path, recalled.day, recalled.plan)
    watch = Stopwatch(time.perf_counter)
    baselines = run_baselines(recalled.day, SolveOptions(), watch=watch)
    run = planned_run(recalled.day, recalled.plan)
    prices, notes = recalled_prices(workspace, recalled.day, recalled.plan)
    notes = (*recalled.notes, *notes)
    report = Report(
        plan=recalled.plan,
        comparison=compare(recalled.day, run, baselines, prices=prices),
        assumptions=notes,
        evidence=_evidence(workspace, recalled.plan),
    )
    paths = write_report(report, folder)
    return Reported(paths=paths, notes=notes)


def _evidence(workspace: Workspace, plan: Plan) -> Evidence | None:
    """What became of this very plan, if its day has been settled."""
    path = evidence_path(workspace.outputs, plan.meta.date)
    if not path.exists():
        return None
    evidence = read_evidence(path)
    same = evidence.meta["plan"]["plan_id"] == plan.meta.plan_id
    return evidence if same else None


def planned_run(day: Day, plan: Plan) -> PolicyRun:
    """A plan's rows as the answer of the policy that made it."""
    schedule = _schedule(day, plan)
    meta = plan.meta
    solution = Solution(
        status=Status(meta.status),
        schedule=schedule,
        objective=meta.objective,
        bound=meta.bound,
        stats=Stats(solver=meta.solver, seed=meta.seed),
    )
    return PolicyRun(
        name=meta.solver,
        solution=solution,
        schedule=schedule,
        evaluation=evaluate(day.formulation.problem, schedule),
        seconds=meta.seconds.get("solve", 0.0),
    )


def _refuse_strangers(path: Path, day: Day, plan: Plan) -> None:
    """Figures of rows that are not the workspace's jobs would be nobody's."""
    planned = plan.rows.filter(plan.rows["region"].is_valid())
    strangers = {
        'job "{}" is not planned from here': (planned["job_id"], _formulated(day)),
        'job "{}" is not in the plan': (day.loaded.jobs.ids, plan.rows["job_id"]),
        'region "{}" is gone': (planned["region"], _region_names(day)),
    }
    for sentence, (names, known) in strangers.items():
        unknown = names.filter(pc.invert(pc.is_in(names, value_set=known)))
        if len(unknown):
            raise StalePlanError(
                f"{path}: {sentence.format(unknown[0])} any more; the workspace has "
                "changed since the plan was made. `planner check` lists it all"
            )


def _formulated(day: Day) -> pa.Array:
    """Ids of the problem's jobs, in its order."""
    return day.loaded.jobs.ids.take(pa.array(day.formulation.rows))


def _region_names(day: Day) -> pa.Array:
    return pa.array([region.name for region in day.workspace.regions], pa.string())


def _schedule(day: Day, plan: Plan) -> Schedule:
    """Region and start slot of the problem's jobs."""
    ids = _formulated(day)
    at = pc.index_in(ids, plan.rows["job_id"].combine_chunks())
    rows = plan.rows.take(at)
    region = pc.index_in(rows["region"], _region_names(day)).fill_null(UNPLACED)
    start_us = rows["start"].cast(pa.int64()).fill_null(0).to_numpy()
    slot = (start_us - day.grid.start_us) // day.grid.step_us
    place = region.to_numpy().astype(np.int16)
    return Schedule(
        region=place,
        start=np.where(place >= 0, slot, UNPLACED).astype(np.int32),
    )

"""Where a plan comes from: the metadata that makes it auditable."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from inputs.workspace import FILE as SETTINGS_FILE
from outputs.plan import ForecastUse, InputFile, PlanMeta, PolicyOutcome
from planner.day import Day
from planner.policies import PolicyRun
from planner.version import planner_version, solver_versions
from planner.warnings import warnings_of
from solvers.solution import SolveOptions, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Occasion:
    """When and how a plan is made, beside what it is made of.

    Parameters
    ----------
    now
        The clock when the run began, aware.
    serial
        1 for the first plan of a date, rising with every further one.
    options
        What the solver was told.
    seconds
        Elapsed time of the stages so far. [s]
    """

    now: datetime
    serial: int
    options: SolveOptions
    seconds: Mapping[str, float]


def plan_meta(
    day: Day,
    run: PolicyRun,
    *,
    baselines: Mapping[str, PolicyRun],
    occasion: Occasion,
) -> PlanMeta:
    """Metadata of the plan that follows one policy's schedule.

    Parameters
    ----------
    day
        What was planned.
    run
        The policy whose schedule is the plan.
    baselines
        The policies that it is compared with, by name.
    occasion
        When and how.
    """
    grid, solution = day.grid, run.solution
    inputs = tuple(_inputs(day))
    return PlanMeta(
        plan_id=_plan_id(day, inputs, run.name, occasion),
        serial=occasion.serial,
        date=grid.date,
        timezone=grid.timezone,
        horizon_start=grid.start,
        horizon_end=grid.end,
        slot_minutes=grid.step_us // 60_000_000,
        solver=solution.stats.solver,
        solver_versions=solver_versions(),
        seed=occasion.options.seed,
        status=plan_status(day, run).value,
        objective=solution.objective,
        bound=solution.bound,
        gap=solution.gap,
        emissions_kg=run.evaluation.emissions_kg,
        unplaced=_unplaced(day, run),
        policies={name: _outcome(day, one) for name, one in baselines.items()},
        forecasts=tuple(_forecasts(day, occasion.now)),
        inputs=inputs,
        seconds=dict(occasion.seconds),
        created_at=occasion.now,
        planner_version=planner_version(),
        degraded=bool(day.loaded.broken) or day.forecasts.degraded,
        carry_over=None if day.earlier_plan is None else day.earlier_plan.meta.plan_id,
        found_by=dict(solution.stats.found_by),
        warnings=warnings_of(day, run, baselines),
        settings=_settings(day, occasion.options),
        site=day.workspace.settings.planner.site,
    )


def _outcome(day: Day, run: PolicyRun) -> PolicyOutcome:
    return PolicyOutcome(
        emissions_kg=run.evaluation.emissions_kg, unplaced=_unplaced(day, run)
    )


def _unplaced(day: Day, run: PolicyRun) -> int:
    """Jobs without a place, those that no schedule could place included."""
    return run.schedule.n_unplaced + len(day.formulation.excluded.rows)


def plan_status(day: Day, run: PolicyRun) -> Status:
    """Status of the whole plan, jobs that no schedule could place included."""
    jobs = len(day.loaded.jobs)
    placed = run.schedule.region.size - run.schedule.n_unplaced
    if jobs and not placed:
        return Status.INFEASIBLE
    if placed < jobs:
        return Status.PARTIAL
    return run.solution.status


def _plan_id(
    day: Day, inputs: tuple[InputFile, ...], solver: str, occasion: Occasion
) -> str:
    made_of = [
        str(day.grid.date),
        occasion.serial,
        occasion.now.isoformat(),
        solver,
        [(file.path, file.sha256) for file in inputs],
    ]
    digest = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()
    return f"{day.grid.date}-{occasion.serial}-{digest[:8]}"


def _inputs(day: Day) -> Iterator[InputFile]:
    settings = day.workspace.root / SETTINGS_FILE
    digest = hashlib.sha256(settings.read_bytes()).hexdigest()
    yield InputFile(path=SETTINGS_FILE, sha256=digest)
    for path, sha256 in (*day.loaded.files, *day.forecasts.files):
        yield InputFile(path=path, sha256=sha256)


def _forecasts(day: Day, now: datetime) -> Iterator[ForecastUse]:
    for forecast in day.forecasts.forecasts:
        issued = forecast.issued_at
        yield ForecastUse(
            series=forecast.series.value,
            region=forecast.region,
            provider=forecast.provider,
            issued_at=issued,
            signal=None if forecast.signal is None else forecast.signal.value,
            age_s=None if issued is None else (now - issued).total_seconds(),
            filled_slots=forecast.filled_slots,
            degraded=forecast.degraded,
            notes=forecast.notes,
        )


def _settings(day: Day, options: SolveOptions) -> dict[str, object]:
    return {
        "gap": options.gap,
        "time_limit_s": options.time_limit_s,
        "threads": options.threads,
        "unplaced_per_weight": day.formulation.unplaced_per_weight,
        "power_caps_kw": {
            region.name: region.power_cap_kw
            for region in day.workspace.regions
            if region.power_cap_kw is not None
        },
    }

"""The policies of one day, side by side, as the reports show them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from forecasts.series import Quality
from inputs.jobs import NO_INSTANT, FloatArray
from outputs.comparison import Comparison, PolicyDay, encode_teams
from outputs.limit_prices import LimitPrices
from planner.day import Day
from planner.policies import BASELINES, PolicyRun, run_policy
from planner.stopwatch import Stopwatch
from solvers.solution import SolveOptions

OPTIMAL = "optimal"
"""What a solver's plan is called beside the plain rules."""

_US_PER_HOUR = 3.6e9


def compare(
    day: Day,
    run: PolicyRun,
    baselines: Mapping[str, PolicyRun],
    *,
    prices: LimitPrices | None = None,
) -> Comparison:
    """Set the plan beside its baselines.

    Parameters
    ----------
    day
        What was planned.
    run
        The policy that the plan follows.
    baselines
        The other policies, in the order in which they are shown.
    prices
        What each limit costs, if known.
    """
    plan_name = run.name if run.name in BASELINES else OPTIMAL
    runs = {**baselines, plan_name: run}
    return comparison_of(day, runs, plan_name=plan_name, prices=prices)


def compare_policies(
    day: Day,
    names: Sequence[str],
    *,
    solver: str,
    options: SolveOptions,
    watch: Stopwatch,
) -> Comparison:
    """Run policies of one day and set them side by side.

    Parameters
    ----------
    day
        What to plan.
    names
        Baselines and ``optimal``, in the order in which they are shown.
    solver
        Registered name of the solver behind ``optimal``.
    options
        What it is told.
    watch
        Measures each policy.
    """
    runs = {
        name: run_policy(solver if name == OPTIMAL else name, day, options, watch=watch)
        for name in names
    }
    return comparison_of(day, runs, plan_name=names[-1])


def comparison_of(
    day: Day,
    runs: Mapping[str, PolicyRun],
    *,
    plan_name: str,
    prices: LimitPrices | None = None,
) -> Comparison:
    """Any policies of one day, under the names that they are shown by."""
    places = day.formulation.problem.places
    teams, job_team = encode_teams(day.loaded.jobs.team.take(pa.array(_rows(day))))
    return Comparison(
        grid=day.grid,
        regions=tuple(region.name for region in day.workspace.regions),
        g_per_kwh=places.g_per_kwh,
        solar_kw=places.solar_kwh / places.slot_hours,
        power_cap_kw=places.capacity[-1] * places.pue[:, None],
        resources=places.resources[:-1],
        capacity=places.capacity[:-1],
        job_team=job_team,
        teams=teams,
        policies=tuple(_policy_day(day, name, run) for name, run in runs.items()),
        plan_name=plan_name,
        guessed=np.stack(
            [forecast.quality != Quality.PROVIDED for forecast in day.forecasts.carbon]
        ),
        limit_prices=prices,
    )


def _rows(day: Day) -> npt.NDArray[np.intp]:
    """Rows of ``Jobs``, those of the problem first."""
    return np.concatenate([day.formulation.rows, day.formulation.excluded.rows])


def _policy_day(day: Day, name: str, run: PolicyRun) -> PolicyDay:
    places = day.formulation.problem.places
    result = run.evaluation
    excluded = len(day.formulation.excluded.rows)
    unplaced = run.schedule.n_unplaced + excluded

    def with_excluded(values: npt.NDArray[np.generic], filler: float) -> FloatArray:
        return np.concatenate([values, np.full(excluded, filler)])

    return PolicyDay(
        name=name,
        emissions_kg=result.emissions_kg,
        grid_kwh=float(result.grid_kwh.sum()),
        solar_kwh=float(result.used_solar_kwh.sum()),
        energy_cost=_energy_cost(day, run),
        placed=len(day.loaded.jobs) - unplaced,
        unplaced=unplaced,
        seconds=run.seconds,
        gap=run.solution.gap,
        load_kw=result.load_kwh / places.slot_hours,
        grid_kw=result.grid_kwh / places.slot_hours,
        usage=result.usage[:-1],
        job_region=with_excluded(run.schedule.region, -1).astype(np.int16),
        job_start_slot=with_excluded(run.schedule.start, -1).astype(np.int32),
        job_energy_kwh=with_excluded(result.job_energy_kwh, 0.0),
        job_emissions_kg=with_excluded(result.job_emissions_kg, 0.0),
        job_delay_h=with_excluded(_delay_h(day, run), 0.0),
    )


def _energy_cost(day: Day, run: PolicyRun) -> float | None:
    prices = day.forecasts.price_per_kwh
    if prices is None:
        return None
    return float((prices * run.evaluation.grid_kwh).sum())


def _delay_h(day: Day, run: PolicyRun) -> FloatArray:
    """Waiting from the earliest start, cut to the horizon. [h]"""
    earliest = day.loaded.jobs.earliest_us[day.formulation.rows]
    opens = np.where(earliest == NO_INSTANT, day.grid.start_us, earliest)
    opens = np.maximum(opens, day.grid.start_us)
    start = day.grid.start_us + day.grid.step_us * run.schedule.start.astype(np.int64)
    return np.where(run.schedule.region >= 0, (start - opens) / _US_PER_HOUR, 0.0)

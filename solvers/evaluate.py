"""The one function that prices a schedule.

Every policy, solver and report uses it; ``outputs.check`` repeats it with other
code. The sums over slots are differences of running sums, so that a million jobs
cost a few array passes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvers.errors import ScheduleMismatchError
from solvers.problem import FloatArray, Places, Problem
from solvers.solution import Schedule

IndexArray = npt.NDArray[np.intp]

_G_PER_KG = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evaluation:
    """What a schedule uses, emits and costs.

    Parameters
    ----------
    objective
        Grid energy at its weight, plus place, delay and unplaced costs.
    emissions_kg
        Grid energy at its intensity, plus transfer. [kg CO₂e]
    usage
        Units in use, shape (n_resources, n_regions, n_slots).
    load_kwh, used_solar_kwh, grid_kwh
        Metered energy of the jobs and where it comes from, shape
        (n_regions, n_slots). [kWh]
    job_energy_kwh, job_solar_kwh, job_grid_kwh, job_emissions_kg
        Every job's share, shape (n_jobs,); zero where unplaced. Within a slot a
        job's share of solar and grid is in proportion to its energy there.
    """

    objective: float
    emissions_kg: float
    usage: FloatArray
    load_kwh: FloatArray
    used_solar_kwh: FloatArray
    grid_kwh: FloatArray
    job_energy_kwh: FloatArray
    job_solar_kwh: FloatArray
    job_grid_kwh: FloatArray
    job_emissions_kg: FloatArray


def evaluate(problem: Problem, schedule: Schedule) -> Evaluation:
    r"""Price a schedule, feasible or not.

    Parameters
    ----------
    problem
        The problem that the schedule belongs to.
    schedule
        One entry for each of its jobs.

    Returns
    -------
    Evaluation
        All sums, and every job's share of them.

    Raises
    ------
    ScheduleMismatchError
        If the schedule has another number of jobs, or names a region or a run
        outside the horizon.

    Notes
    -----
    With load :math:`L_{rt}`, solar :math:`S_{rt}` and no budget, used solar is
    :math:`\min(L_{rt}, S_{rt})`. A budget is spent slot by slot in the order of
    falling objective weight, ties to the earlier slot, which is the best use that
    a day can make of it.
    """
    _require_match(problem, schedule)
    places, jobs = problem.places, problem.jobs
    placed = np.flatnonzero(schedule.region >= 0)
    region = schedule.region[placed].astype(np.intp)
    start = schedule.start[placed].astype(np.intp)
    full_end = start + jobs.n_slots[placed] - 1
    metered = jobs.power_kw[placed] * places.pue[region] * places.slot_hours
    tail = metered * jobs.last_fraction[placed]

    shape = (places.n_regions, places.n_slots)
    load = _spread(shape, region, start, full_end, metered)
    np.add.at(load, (region, full_end), tail)
    usage = np.empty(places.capacity.shape)
    for k in range(places.n_resources):
        usage[k] = _spread(shape, region, start, full_end + 1, jobs.demand[placed, k])
    solar = solar_used(places, load)
    grid = load - solar

    grid_share = np.divide(grid, load, out=np.ones(shape), where=load > 0)

    def job_sum(per_kwh: FloatArray) -> FloatArray:
        running = _running_sum(per_kwh)
        whole = running[region, full_end] - running[region, start]
        shares: FloatArray = metered * whole + tail * per_kwh[region, full_end]
        return shares

    energy = metered * (jobs.n_slots[placed] - 1) + tail
    job_grid = job_sum(grid_share)
    carbon = job_sum(grid_share * places.g_per_kwh) / _G_PER_KG
    carbon += jobs.place_kg[placed, region]
    waited = start - jobs.first[placed]
    costs = jobs.place_cost[placed, region] + jobs.delay_cost[placed] * waited
    left_out = jobs.unplaced_cost[schedule.region < 0]
    objective = (places.weight_per_kwh * grid).sum() + costs.sum() + left_out.sum()
    emissions = (places.g_per_kwh * grid).sum() / _G_PER_KG
    emissions += jobs.place_kg[placed, region].sum()

    def per_job(values: FloatArray) -> FloatArray:
        column = np.zeros(problem.n_jobs)
        column[placed] = values
        return column

    return Evaluation(
        objective=float(objective),
        emissions_kg=float(emissions),
        usage=usage,
        load_kwh=load,
        used_solar_kwh=solar,
        grid_kwh=grid,
        job_energy_kwh=per_job(energy),
        job_solar_kwh=per_job(energy - job_grid),
        job_grid_kwh=per_job(job_grid),
        job_emissions_kg=per_job(carbon),
    )


def solar_used(places: Places, load_kwh: FloatArray) -> FloatArray:
    """Solar energy that a load draws, under the daily budgets.

    Parameters
    ----------
    places
        Gives solar, budgets and the order in which a budget is spent.
    load_kwh
        Metered energy of jobs, shape (n_regions, n_slots). [kWh]

    Returns
    -------
    ndarray, shape (n_regions, n_slots)
        Never more than the load, the sun, or the day's budget. [kWh]
    """
    used = np.minimum(np.maximum(load_kwh, 0.0), places.solar_kwh)
    for r, d in np.argwhere(np.isfinite(places.solar_budget_kwh)):
        slots = np.flatnonzero(places.day == d)
        dearest_first = slots[
            np.argsort(-places.weight_per_kwh[r, slots], kind="stable")
        ]
        spent = np.cumsum(used[r, dearest_first])
        allowed = np.minimum(spent, places.solar_budget_kwh[r, d])
        used[r, dearest_first] = np.diff(allowed, prepend=0.0)
    return used


def _spread(
    shape: tuple[int, int],
    region: IndexArray,
    start: IndexArray,
    end: IndexArray,
    amount: FloatArray,
) -> FloatArray:
    """Sum of amounts over the slots ``start ≤ t < end`` of their regions."""
    n_regions, n_slots = shape
    width = n_slots + 1
    size = n_regions * width
    steps = np.zeros(size)
    steps += np.bincount(region * width + start, weights=amount, minlength=size)
    steps -= np.bincount(region * width + end, weights=amount, minlength=size)
    sums: FloatArray = np.cumsum(steps.reshape(n_regions, width), axis=1)[:, :n_slots]
    return sums


def _running_sum(values: FloatArray) -> FloatArray:
    """Sums of the values before each slot, shape (n_regions, n_slots + 1)."""
    out = np.zeros((values.shape[0], values.shape[1] + 1))
    np.cumsum(values, axis=1, out=out[:, 1:])
    return out


def _require_match(problem: Problem, schedule: Schedule) -> None:
    n_jobs, n_regions, n_slots, _ = problem.shape
    if schedule.region.shape != (n_jobs,) or schedule.start.shape != (n_jobs,):
        raise ScheduleMismatchError(
            f"the schedule has {schedule.region.shape[0]} jobs, the problem {n_jobs}"
        )
    placed = schedule.region >= 0
    end = schedule.start + problem.jobs.n_slots
    wrong = (schedule.region >= n_regions) | (
        placed & ((schedule.start < 0) | (end > n_slots))
    )
    if wrong.any():
        job = int(np.flatnonzero(wrong)[0])
        raise ScheduleMismatchError(
            f"job {job} is scheduled in region {schedule.region[job]} from slot "
            f"{schedule.start[job]}; there are {n_regions} regions and {n_slots} slots"
        )

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
from solvers.problem import FloatArray, Places, Problem, RigidJobs
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
    runs = _runs(problem, schedule)
    load = _load(places, runs)
    solar = solar_used(places, load)
    grid = load - solar
    left_out = jobs.unplaced_cost[schedule.region < 0]
    objective = (places.weight_per_kwh * grid).sum() + _own_costs(jobs, runs).sum()
    transfer_kg = jobs.place_kg[runs.job, runs.region]
    emissions = (places.g_per_kwh * grid).sum() / _G_PER_KG + transfer_kg.sum()

    grid_share = np.divide(grid, load, out=np.ones_like(grid), where=load > 0)
    energy = runs.sum_over(np.ones_like(grid))
    from_grid = runs.sum_over(grid_share)
    carbon = runs.sum_over(grid_share * places.g_per_kwh) / _G_PER_KG + transfer_kg
    return Evaluation(
        objective=float(objective + left_out.sum()),
        emissions_kg=float(emissions),
        usage=_usage(problem, runs),
        load_kwh=load,
        used_solar_kwh=solar,
        grid_kwh=grid,
        job_energy_kwh=runs.per_job(energy),
        job_solar_kwh=runs.per_job(energy - from_grid),
        job_grid_kwh=runs.per_job(from_grid),
        job_emissions_kg=runs.per_job(carbon),
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
        wanted = used[r, dearest_first]
        left = places.solar_budget_kwh[r, d] - (np.cumsum(wanted) - wanted)
        used[r, dearest_first] = np.clip(left, 0.0, wanted)
    return used


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Runs:
    """The placed jobs, one entry each.

    The energy of a run is ``full_kwh`` in each slot before ``last``, and
    ``tail_kwh`` there.
    """

    n_jobs: int
    job: IndexArray
    region: IndexArray
    start: IndexArray
    last: IndexArray
    full_kwh: FloatArray
    tail_kwh: FloatArray

    def sum_over(self, per_kwh: FloatArray) -> FloatArray:
        """Sum of a run's energy at a rate of each slot, shape (n_placed,)."""
        before = np.zeros((per_kwh.shape[0], per_kwh.shape[1] + 1))
        np.cumsum(per_kwh, axis=1, out=before[:, 1:])
        whole = before[self.region, self.last] - before[self.region, self.start]
        tail = self.tail_kwh * per_kwh[self.region, self.last]
        sums: FloatArray = self.full_kwh * whole + tail
        return sums

    def per_job(self, values: FloatArray) -> FloatArray:
        """Values of the placed jobs at their place among all, zero elsewhere."""
        column = np.zeros(self.n_jobs)
        column[self.job] = values
        return column


def _runs(problem: Problem, schedule: Schedule) -> _Runs:
    places, jobs = problem.places, problem.jobs
    placed = np.flatnonzero(schedule.region >= 0)
    region = schedule.region[placed].astype(np.intp)
    start = schedule.start[placed].astype(np.intp)
    full_kwh = jobs.power_kw[placed] * places.pue[region] * places.slot_hours
    return _Runs(
        n_jobs=problem.n_jobs,
        job=placed,
        region=region,
        start=start,
        last=start + jobs.n_slots[placed] - 1,
        full_kwh=full_kwh,
        tail_kwh=full_kwh * jobs.last_fraction[placed],
    )


def _load(places: Places, runs: _Runs) -> FloatArray:
    """Metered energy of the jobs in every slot, shape (n_regions, n_slots)."""
    shape = (places.n_regions, places.n_slots)
    load = _spread(shape, runs.region, runs.start, runs.last, runs.full_kwh)
    np.add.at(load, (runs.region, runs.last), runs.tail_kwh)
    # Differences of running sums leave specks of rounding in empty slots.
    return np.maximum(load, 0.0, out=load)


def _usage(problem: Problem, runs: _Runs) -> FloatArray:
    """Units in use, shape (n_resources, n_regions, n_slots)."""
    _, n_regions, n_slots, n_resources = problem.shape
    usage = np.empty((n_resources, n_regions, n_slots))
    for k in range(n_resources):
        units = problem.jobs.demand[runs.job, k]
        shape = (n_regions, n_slots)
        usage[k] = _spread(shape, runs.region, runs.start, runs.last + 1, units)
    return usage


def _own_costs(jobs: RigidJobs, runs: _Runs) -> FloatArray:
    """Costs that no other job changes: place and waiting, shape (n_placed,)."""
    waited = runs.start - jobs.first[runs.job]
    costs: FloatArray = jobs.place_cost[runs.job, runs.region]
    return costs + jobs.delay_cost[runs.job] * waited


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

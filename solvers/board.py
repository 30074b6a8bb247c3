"""What is left of every limit, and what a place would cost, job after job.

A ``Board`` starts empty and takes jobs in one at a time. Its costs are *true* marginal
costs: what ``solvers.evaluate`` would add for the job given those already there, with
the sun that they left over and, under a budget, the sun that would move from their
slots to the job's.
"""

from __future__ import annotations

import numpy as np

from solvers.budgets import Budgets
from solvers.problem import BoolArray, FloatArray, Problem
from solvers.solution import UNPLACED, Schedule

ROOM = 1e-9
"""Relative rounding on a capacity, far below what ``violations`` lets pass."""

TIE = 1e-12
"""Costs are equal that differ by less than this share of the sums behind them."""

Place = tuple[int, int]
"""Region and start slot."""


class Board:
    """Remaining capacity and sun while jobs are placed one at a time.

    Parameters
    ----------
    problem
        Its jobs are named by index.
    """

    def __init__(self, problem: Problem) -> None:
        places, jobs = problem.places, problem.jobs
        self._places, self._jobs = places, jobs
        slack = ROOM * np.maximum(1.0, np.abs(places.capacity))
        self._room = places.capacity + slack
        self._load = np.zeros((places.n_regions, places.n_slots))
        self._sun = places.solar_kwh.copy()
        self._budgets = Budgets(places)
        self._region = np.full(len(jobs), UNPLACED, dtype=np.int16)
        self._start = np.full(len(jobs), UNPLACED, dtype=np.int32)
        self._per_kw = places.pue * places.slot_hours
        # One element of a list is read far faster than one of an array.
        self._duration: list[int] = jobs.n_slots.tolist()
        self._first: list[int] = jobs.first.tolist()
        self._last: list[int] = jobs.last.tolist()
        self._power: list[float] = jobs.power_kw.tolist()
        self._fraction: list[float] = jobs.last_fraction.tolist()
        self._delay: list[float] = jobs.delay_cost.tolist()

    def schedule(self) -> Schedule:
        """Where the jobs are so far."""
        return Schedule(region=self._region.copy(), start=self._start.copy())

    def open_starts(self, job: int) -> BoolArray:
        """Whether the job fits, from its first possible start on.

        Returns
        -------
        ndarray, shape (n_regions, last - first + 1)
            False throughout in regions where it may not run.
        """
        room = self._room[:, :, self._window(job)]
        short = (room < self._jobs.demand[job][:, None, None]).any(axis=0)
        fits = _unbroken(short, self._duration[job])
        fits &= self._jobs.allowed[job][:, None]
        return fits

    def open_starts_in(self, job: int, region: int) -> BoolArray:
        """Row of ``open_starts`` for one region, shape (last - first + 1,)."""
        if not self._jobs.allowed[job, region]:
            return np.zeros(self._last[job] - self._first[job] + 1, dtype=np.bool_)
        room = self._room[:, region, self._window(job)]
        short = (room < self._jobs.demand[job][:, None]).any(axis=0)
        fits: BoolArray = _unbroken(short[None], self._duration[job])[0]
        return fits

    def costs(self, job: int) -> FloatArray:
        """Marginal cost of every place, whether the job fits there or not.

        Returns
        -------
        ndarray, shape (n_regions, last - first + 1)
            What ``evaluate`` would add to the objective.
        """
        return self._costs(job)[0]

    def cheapest(self, job: int) -> tuple[float, Place] | None:
        """Least marginal cost of a place with room, and that place.

        Ties go to the earliest start, then to the first region. None where the
        job fits nowhere.
        """
        fits = self.open_starts(job)
        if not fits.any():
            return None
        costs, rounding = self._costs(job)
        costs = np.where(fits, costs, np.inf)
        least = float(costs.min())
        near = costs <= least + rounding
        start = int(near.any(axis=0).argmax())
        region = int(near[:, start].argmax())
        return least, (region, self._first[job] + start)

    def sun_covers(self, job: int, region: int) -> BoolArray:
        """Whether the sun left over covers the job's power in its first slot.

        Returns
        -------
        ndarray, shape (last - first + 1,)
            For every start; sun beyond the day's budget does not count.
        """
        starts = slice(self._first[job], self._last[job] + 1)
        left = self._budgets.within(region, starts, self._sun[region, starts])
        covered: BoolArray = left >= self._power[job] * float(self._per_kw[region])
        return covered

    def place(self, job: int, region: int, start: int) -> None:
        """Put a job in, whether there is room or not."""
        self._add(job, region, start, sign=1.0)
        self._region[job], self._start[job] = region, start

    def remove(self, job: int) -> None:
        """Take a job out that was placed."""
        region, start = int(self._region[job]), int(self._start[job])
        self._add(job, region, start, sign=-1.0)
        self._region[job] = self._start[job] = UNPLACED

    def _add(self, job: int, region: int, start: int, *, sign: float) -> None:
        last = start + self._duration[job] - 1
        run = slice(start, last + 1)
        full_kwh = sign * self._power[job] * self._per_kw[region]
        load = self._load[region]
        load[start:last] += full_kwh
        load[last] += full_kwh * self._fraction[job]
        solar = self._places.solar_kwh[region, run]
        self._sun[region, run] = np.maximum(solar - load[run], 0.0)
        self._room[:, region, run] -= sign * self._jobs.demand[job][:, None]
        self._budgets.note(region, run, load)

    def _window(self, job: int) -> slice:
        return slice(self._first[job], self._last[job] + self._duration[job])

    def _costs(self, job: int) -> tuple[FloatArray, float]:
        """Marginal costs and the rounding that they may carry."""
        window, duration = self._window(job), self._duration[job]
        weight = self._places.weight_per_kwh[:, window]
        sun = self._sun[:, window]
        full_kwh = self._power[job] * self._per_kw
        tail_kwh = full_kwh * self._fraction[job]
        before = np.zeros((weight.shape[0], weight.shape[1] + 1))
        grid = np.maximum(full_kwh[:, None] - sun, 0.0)
        np.cumsum(weight * grid, axis=1, out=before[:, 1:])
        grid = np.maximum(tail_kwh[:, None] - sun, 0.0)
        costs = (weight * grid)[:, duration - 1 :]
        costs += before[:, duration - 1 : -1] - before[:, : costs.shape[1]]
        rounding = float(np.abs(before).max())
        rounding += self._use_budgets(job, full_kwh, costs)
        costs += self._jobs.place_cost[job][:, None]
        if self._delay[job]:
            costs += self._delay[job] * np.arange(costs.shape[1])
        return costs, TIE * rounding

    def _use_budgets(self, job: int, full_kwh: FloatArray, costs: FloatArray) -> float:
        """Replace the costs in regions where a solar budget may run out."""
        duration, fraction = self._duration[job], self._fraction[job]
        window = self._window(job)
        energy_kwh = full_kwh * (duration - 1 + fraction)
        rounding = 0.0
        for r in self._budgets.short_of(energy_kwh, window):
            if self._jobs.allowed[job, r]:
                run_kwh = np.full(duration, full_kwh[r])
                run_kwh[-1] *= fraction
                costs[r], scale = self._budgets.added_costs(
                    r, window, self._load[r], run_kwh
                )
                rounding = max(rounding, scale)
        return rounding


def _unbroken(short: BoolArray, duration: int) -> BoolArray:
    """Whether ``duration`` slots from each on are all free of ``short``."""
    if duration == 1:
        return ~short
    before = np.zeros((short.shape[0], short.shape[1] + 1), dtype=np.int32)
    np.cumsum(short, axis=1, out=before[:, 1:])
    unbroken: BoolArray = before[:, duration:] == before[:, :-duration]
    return unbroken

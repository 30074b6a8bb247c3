"""Every place that a group of jobs may take, and what it uses there, as arrays."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvers.exact.groups import Groups
from solvers.exact.sums import sum_by
from solvers.feasibility import TOLERANCE
from solvers.problem import FloatArray, Int64Array, Places, Problem, RigidJobs

IndexArray = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Columns:
    """Places ``(group, region, start)`` in that order, and the slots of each run.

    Parameters
    ----------
    group, job, region, start
        What a column means; ``job`` is the group's lowest job, shape (n_columns,).
    entry_column
        Column of every touched slot, non-decreasing, shape (n_entries,).
    entry_cell
        ``region * n_slots + slot`` of it, shape (n_entries,).
    entry_kwh
        Metered energy of one job there, shape (n_entries,). [kWh]
    """

    group: Int64Array
    job: Int64Array
    region: Int64Array
    start: Int64Array
    entry_column: Int64Array
    entry_cell: Int64Array
    entry_kwh: FloatArray

    def __len__(self) -> int:
        return len(self.group)

    def cost(self, problem: Problem, weight_per_kwh: FloatArray) -> FloatArray:
        """Objective of one job in each column, shape (n_columns,).

        Parameters
        ----------
        problem
            Gives place and delay costs.
        weight_per_kwh
            Weight of metered energy, shape (n_regions, n_slots).
        """
        jobs = problem.jobs
        energy = self.entry_kwh * weight_per_kwh.ravel()[self.entry_cell]
        cost: FloatArray = sum_by(self.entry_column, energy, len(self))
        cost += jobs.place_cost[self.job, self.region]
        cost += jobs.delay_cost[self.job] * (self.start - jobs.first[self.job])
        return cost


def count_entries(jobs: RigidJobs) -> int:
    """Number of touched slots over all places of all jobs, before grouping.

    An upper limit on the entries of ``enumerate_columns``, for a few passes over
    the jobs; what decides whether a model is worth building.
    """
    starts = jobs.last.astype(np.float64) - jobs.first + 1
    return int((starts * jobs.n_slots * jobs.allowed.sum(axis=1)).sum())


def usable_capacity(places: Places) -> FloatArray:
    """Most that a schedule may use and still pass ``solvers.feasibility``."""
    slack = TOLERANCE * np.maximum(1.0, np.abs(places.capacity))
    limit: FloatArray = np.maximum(places.capacity, 0.0) + slack
    return limit


def enumerate_columns(problem: Problem, groups: Groups) -> Columns:
    """List the places of all groups, without those that no job fits alone."""
    jobs, places = problem.jobs, problem.places
    pair_group, pair_region = np.nonzero(jobs.allowed[groups.first_job])
    pair_job = groups.first_job[pair_group]
    n_starts = jobs.last[pair_job].astype(np.int64) - jobs.first[pair_job] + 1
    group = np.repeat(pair_group, n_starts)
    region = np.repeat(pair_region, n_starts)
    job = groups.first_job[group]
    start = jobs.first[job] + _count_up(n_starts)

    length = jobs.n_slots[job].astype(np.int64)
    step = _count_up(length)
    column = np.repeat(np.arange(len(group)), length)
    cell = (region * places.n_slots + start)[column] + step
    is_last = step == (length - 1)[column]
    metered = jobs.power_kw[job] * places.pue[region] * places.slot_hours
    kwh = metered[column] * np.where(is_last, jobs.last_fraction[job][column], 1.0)

    limit = usable_capacity(places).reshape(
        places.n_resources, places.n_regions * places.n_slots
    )
    fits = np.ones(len(group), dtype=bool)
    for k in range(places.n_resources):
        too_much = jobs.demand[job, k][column] > limit[k][cell]
        fits[column[too_much]] = False
    kept = fits[column]
    return Columns(
        group=group[fits],
        job=job[fits],
        region=region[fits],
        start=start[fits],
        entry_column=(np.cumsum(fits) - 1)[column[kept]],
        entry_cell=cell[kept],
        entry_kwh=kwh[kept],
    )


def most_at_once(
    columns: Columns, groups: Groups, amount: FloatArray, n_cells: int
) -> FloatArray:
    """Sum over groups of the most that each can bring to every cell.

    Parameters
    ----------
    columns, groups
        Places and sizes.
    amount
        What one job brings, for each entry of the columns.
    n_cells
        Number of pairs of region and slot.
    """
    group = columns.group[columns.entry_column]
    key = group * n_cells + columns.entry_cell
    order = np.lexsort((amount, key))
    last = np.append(np.diff(key[order]) > 0, True)[: len(order)]
    largest = order[last]
    weights = amount[largest] * groups.size[group[largest]]
    most: FloatArray = sum_by(columns.entry_cell[largest], weights, n_cells)
    return most


def _count_up(lengths: Int64Array) -> Int64Array:
    """``0 … n-1`` for every length n, one after another."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    counts: Int64Array = np.arange(total) - np.repeat(ends - lengths, lengths)
    return counts

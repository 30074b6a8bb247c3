"""What is left of every limit, as the compiled simple policies keep it.

The same sums as in ``solvers.board``, added up in the same order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.board import ROOM
from solvers.compiled import compiled
from solvers.job_columns import JobColumns as JobColumns  # see price.columns
from solvers.job_columns import constant
from solvers.problem import (
    FloatArray,
    Int16Array,
    Int32Array,
    Int64Array,
    Places,
)
from solvers.solution import UNPLACED


class Ground(NamedTuple):
    """What no job changes.

    Parameters
    ----------
    weight, solar
        As in ``Places``, shape (n_regions, n_slots).
    per_kw
        Metered energy of a full slot per IT kW, shape (n_regions,). [h]
    day
        Day of every slot, shape (n_slots,).
    day_start
        First slot of every day, and the end of the last, shape (n_days + 1,).
    budget
        Solar budget of every day, infinite where it never binds, shape
        (n_regions, n_days). [kWh]
    dearest
        Slots of each day by falling weight, ties to the earlier one, shape
        (n_regions, n_slots).
    """

    weight: FloatArray
    solar: FloatArray
    per_kw: FloatArray
    day: Int64Array
    day_start: Int64Array
    budget: FloatArray
    dearest: Int64Array


class Sums(NamedTuple):
    """The jobs placed so far and what is left, changed in place.

    Parameters
    ----------
    region, start
        Place of every job, shape (n_jobs,).
    room
        Units left, with slack for rounding, shape (n_resources, n_regions, n_slots).
    load, sun
        Metered energy of the jobs, and sun that they leave, shape
        (n_regions, n_slots). [kWh]
    asked
        Sun that the load would take without a budget, shape (n_regions, n_days).
        [kWh]
    """

    region: Int16Array
    start: Int32Array
    room: FloatArray
    load: FloatArray
    sun: FloatArray
    asked: FloatArray


def ground(places: Places) -> Ground:
    """What the regions offer."""
    n_days = places.solar_budget_kwh.shape[1]
    starts = np.searchsorted(places.day, np.arange(n_days + 1))
    budget = places.solar_budget_kwh.copy()
    for d in range(n_days):
        sun = places.solar_kwh[:, starts[d] : starts[d + 1]].sum(axis=1)
        budget[sun <= budget[:, d], d] = np.inf
    by_day = np.broadcast_to(places.day, places.weight_per_kwh.shape)
    dearest = np.lexsort((-places.weight_per_kwh, by_day))
    return Ground(
        weight=constant(places.weight_per_kwh),
        solar=constant(places.solar_kwh),
        per_kw=constant(places.pue * places.slot_hours),
        day=constant(places.day),
        day_start=constant(starts.astype(np.int64)),
        budget=constant(budget),
        dearest=constant(dearest.astype(np.int64)),
    )


def empty_board(n_jobs: int, places: Places) -> Sums:
    """Sums before the first job."""
    slack = ROOM * np.maximum(1.0, np.abs(places.capacity))
    return Sums(
        region=np.full(n_jobs, UNPLACED, dtype=np.int16),
        start=np.full(n_jobs, UNPLACED, dtype=np.int32),
        room=np.ascontiguousarray(places.capacity + slack),
        load=np.zeros(places.weight_per_kwh.shape),
        sun=np.array(places.solar_kwh, order="C"),
        asked=np.zeros(places.solar_budget_kwh.shape),
    )


@compiled
def put(jobs: JobColumns, j: int, r: int, s: int, ground: Ground, sums: Sums) -> None:
    """Place job ``j``."""
    sums.region[j], sums.start[j] = r, s
    end = s + jobs.n_slots[j]
    full = jobs.power_kw[j] * ground.per_kw[r]
    for t in range(s, end - 1):
        sums.load[r, t] += full
    sums.load[r, end - 1] += full * jobs.last_fraction[j]
    for t in range(s, end):
        sums.sun[r, t] = max(ground.solar[r, t] - sums.load[r, t], 0.0)
        for k in range(sums.room.shape[0]):
            sums.room[k, r, t] -= jobs.demand[j, k]
    for d in range(ground.day[s], ground.day[end - 1] + 1):
        if ground.budget[r, d] < np.inf:
            asked = 0.0
            for t in range(ground.day_start[d], ground.day_start[d + 1]):
                asked += min(sums.load[r, t], ground.solar[r, t])
            sums.asked[r, d] = asked

"""One optimisation as arrays: the places that jobs share, and what each job may do.

Indices: jobs ``j``, regions ``r``, slots ``t``, resources ``k``. The metered power
limit of a region is one more resource, demanded in IT power. Other kinds of jobs
will bring their own class beside ``RigidJobs``; ``Places`` stays as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
Int32Array = npt.NDArray[np.int32]
Int16Array = npt.NDArray[np.int16]
BoolArray = npt.NDArray[np.bool_]


class _Frozen:
    """Makes every array of a frozen dataclass read-only."""

    __slots__ = ()

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:  # type: ignore[attr-defined]
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.setflags(write=False)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Places(_Frozen):
    """What all jobs share: regions over time, after earlier work took its part.

    Parameters
    ----------
    slot_hours
        Length of a slot. [h]
    weight_per_kwh
        Objective weight of grid energy, shape (n_regions, n_slots); negative only
        where an electricity price is.
    g_per_kwh
        Carbon intensity, shape (n_regions, n_slots). [g/kWh]
    pue
        Metered over IT power, shape (n_regions,).
    solar_kwh
        On-site solar energy left for jobs after base load and earlier work, per
        slot, shape (n_regions, n_slots). [kWh]
    solar_budget_kwh
        Most solar energy that jobs may use in a region on a day, shape
        (n_regions, n_days); infinite where there is no budget. [kWh]
    day
        Day index of every slot, non-decreasing, shape (n_slots,).
    capacity
        Free units of every resource, shape (n_resources, n_regions, n_slots).
    resources
        Names of the resources; the power limit, in IT kW, is called ``power_kw``.
    """

    slot_hours: float
    weight_per_kwh: FloatArray
    g_per_kwh: FloatArray
    pue: FloatArray
    solar_kwh: FloatArray
    solar_budget_kwh: FloatArray
    day: Int64Array
    capacity: FloatArray
    resources: tuple[str, ...]

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return int(self.weight_per_kwh.shape[0])

    @property
    def n_slots(self) -> int:
        """Number of slots."""
        return int(self.weight_per_kwh.shape[1])

    @property
    def n_resources(self) -> int:
        """Number of resources, the power limit among them."""
        return int(self.capacity.shape[0])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RigidJobs(_Frozen):
    """Jobs that run once, in one region, without a pause.

    Parameters
    ----------
    n_slots
        Slots that the job touches, at least 1, shape (n_jobs,).
    last_fraction
        Used part of the last slot, in (0, 1], shape (n_jobs,).
    first, last
        First and last slot in which the job may start, ``first <= last`` and
        ``last + n_slots`` within the horizon, shape (n_jobs,).
    allowed
        Whether the job may run in a region, shape (n_jobs, n_regions); every job
        has at least one.
    power_kw
        Mean IT power while running, shape (n_jobs,). [kW]
    demand
        Units of every resource held while running, shape (n_jobs, n_resources).
    place_cost
        Objective cost of running in a region at all (transfer, the waiting that
        no start can avoid), shape (n_jobs, n_regions).
    place_kg
        Emissions of moving the input data to a region, shape
        (n_jobs, n_regions). [kg CO₂e]
    delay_cost
        Objective cost of each slot of waiting after ``first``, shape (n_jobs,).
    unplaced_cost
        Objective cost of leaving the job out, shape (n_jobs,).
    home
        Region where the job would run without a planner, shape (n_jobs,).
    """

    n_slots: Int32Array
    last_fraction: FloatArray
    first: Int32Array
    last: Int32Array
    allowed: BoolArray
    power_kw: FloatArray
    demand: FloatArray
    place_cost: FloatArray
    place_kg: FloatArray
    delay_cost: FloatArray
    unplaced_cost: FloatArray
    home: Int16Array

    def __len__(self) -> int:
        return len(self.n_slots)

    def energy_kwh(self, slot_hours: float) -> FloatArray:
        """IT energy of each job, before PUE, shape (n_jobs,). [kWh]"""
        slots = self.n_slots - 1 + self.last_fraction
        return self.power_kw * slots * slot_hours

    def traits(self) -> list[npt.NDArray[Any]]:
        """Columns in which equal jobs are equal: all that is a limit or a cost.

        Home region and transfer emissions are neither.
        """
        return [
            self.n_slots,
            self.first,
            self.last,
            self.last_fraction,
            self.power_kw,
            self.delay_cost,
            self.unplaced_cost,
            *self.allowed.T,
            *np.where(self.allowed, self.place_cost, 0.0).T,
            *self.demand.T,
        ]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Everything that a solver is told."""

    places: Places
    jobs: RigidJobs

    @property
    def n_jobs(self) -> int:
        """Number of jobs."""
        return len(self.jobs)

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Numbers of jobs, regions, slots and resources."""
        places = self.places
        return self.n_jobs, places.n_regions, places.n_slots, places.n_resources

    @property
    def costs_nothing_at_least(self) -> bool:
        """Whether every single cost is at least zero, so that no plan is below it."""
        jobs = self.jobs
        costs = (
            self.places.weight_per_kwh,
            jobs.place_cost,
            jobs.delay_cost,
            jobs.unplaced_cost,
        )
        return all(bool((cost >= 0.0).all()) for cost in costs)


def within_reach(problem: Problem) -> Problem:
    """The problem with no limit above what all jobs together could use.

    The same schedules keep it, and no price ever meets an infinite capacity.
    """
    most = problem.jobs.demand.sum(axis=0)[:, None, None]
    capacity = np.minimum(problem.places.capacity, most)
    return replace(problem, places=replace(problem.places, capacity=capacity))

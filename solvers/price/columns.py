"""A problem as the compiled kernels read it: named tuples of plain arrays."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from solvers.feasibility import TOLERANCE
from solvers.problem import BoolArray, FloatArray, Int32Array, Places, RigidJobs

FIT = 1e-9
"""Relative slack when a job is fitted in: covers the rounding of running sums."""


class JobColumns(NamedTuple):
    """The columns of ``RigidJobs`` that a solver needs, contiguous."""

    n_slots: Int32Array
    last_fraction: FloatArray
    first: Int32Array
    last: Int32Array
    allowed: BoolArray
    power_kw: FloatArray
    demand: FloatArray
    place_cost: FloatArray
    delay_cost: FloatArray
    unplaced_cost: FloatArray


class Limits(NamedTuple):
    """The shared limits in the kernels' order of axes.

    Parameters
    ----------
    capacity
        Units that a plan may use, rounding slack included, shape
        (n_regions, n_resources, n_slots).
    weight
        Objective weight of grid energy, shape (n_regions, n_slots).
    solar
        Solar energy, shape (n_regions, n_slots). [kWh]
    metered_hours
        Metered energy of a full slot per IT kW, shape (n_regions,). [h]
    """

    capacity: FloatArray
    weight: FloatArray
    solar: FloatArray
    metered_hours: FloatArray


def job_columns(
    jobs: RigidJobs, subset: npt.NDArray[np.intp] | None = None
) -> JobColumns:
    """Columns of all jobs, or of a subset in its order."""

    def column(name: str) -> npt.NDArray[np.generic]:
        values: npt.NDArray[np.generic] = getattr(jobs, name)
        if subset is not None:
            values = values[subset]
        view = np.ascontiguousarray(values).view()
        view.setflags(write=False)  # one type, so kernels are compiled once
        return view

    return JobColumns(*(column(name) for name in JobColumns._fields))  # type: ignore[arg-type]


def region_first(by_resource: FloatArray) -> FloatArray:
    """Swap (n_resources, n_regions, n_slots) and the kernels' region-first order."""
    return np.ascontiguousarray(by_resource.transpose(1, 0, 2))


def limits(places: Places) -> Limits:
    """Limits that a plan of this engine keeps: exact but for rounding in sums."""
    capacity = region_first(places.capacity)
    return Limits(
        capacity=capacity + FIT * np.maximum(1.0, np.abs(capacity)),
        weight=np.ascontiguousarray(places.weight_per_kwh),
        solar=np.ascontiguousarray(places.solar_kwh),
        metered_hours=places.pue * places.slot_hours,
    )


def accepted_capacity(places: Places) -> FloatArray:
    """Most units that the checker accepts, shape (n_regions, n_resources, n_slots).

    A bound must hold for every schedule that ``solvers.feasibility`` lets pass, so
    its tolerance is granted here, and a little more for the checker's own rounding.
    """
    capacity = region_first(places.capacity)
    slack = 1.001 * TOLERANCE * np.maximum(1.0, np.abs(capacity))
    return np.maximum(capacity, 0.0) + slack

"""The shared limits as the compiled kernels read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from solvers.feasibility import TOLERANCE

# Machine code that an earlier version left on disk knows the class by this name, and
# numba looks it up before it sees that the code is out of date.
from solvers.job_columns import JobColumns as JobColumns
from solvers.problem import FloatArray, Places

FIT = 1e-9
"""Relative slack when a job is fitted in: covers the rounding of running sums."""


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

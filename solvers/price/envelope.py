r"""Weights of grid energy that a proof may use where the weight is negative.

An electricity price below zero makes the cost :math:`w·\max(0, L - S)` of a slot
concave in its load. On :math:`0 ≤ L ≤ L_{max}` the straight line through its ends,
of slope :math:`w·\max(0, 1 - S / L_{max})`, lies nowhere above it.
"""

from __future__ import annotations

import numpy as np

from solvers.problem import FloatArray, Problem

_SHAVE = 1e-9
"""Relative margin for the rounding of the largest load."""


def provable_weight(problem: Problem) -> FloatArray:
    """Weight such that weight × load never exceeds the cost of a negative slot.

    Slots of positive weight keep it. So do those under a solar budget, where the
    sun may have been spent elsewhere.

    Returns
    -------
    ndarray, shape (n_regions, n_slots)
        Objective per kWh of load.
    """
    places = problem.places
    budgeted = np.isfinite(places.solar_budget_kwh)[:, places.day]
    bent = (places.weight_per_kwh < 0.0) & (places.solar_kwh > 0.0) & ~budgeted
    weight = np.array(places.weight_per_kwh, dtype=np.float64)
    if bent.any():
        most = np.maximum(_largest_load(problem), 1e-300)
        share = np.clip(1.0 - places.solar_kwh / most, 0.0, 1.0)
        share = np.minimum(1.0, share + _SHAVE)
        weight[bent] = weight[bent] * share[bent]
    return weight


def _largest_load(problem: Problem) -> FloatArray:
    """Load if every job ran wherever and whenever it may, metered. [kWh]"""
    places, jobs = problem.places, problem.jobs
    load = np.empty((places.n_regions, places.n_slots))
    for r in range(places.n_regions):
        may = jobs.allowed[:, r]
        power = jobs.power_kw[may] * (places.pue[r] * places.slot_hours)
        width = places.n_slots + 1
        begin = np.bincount(jobs.first[may], weights=power, minlength=width)
        finish = jobs.last[may] + jobs.n_slots[may]
        end = np.bincount(finish, weights=power, minlength=width)
        load[r] = np.cumsum(begin - end)[: places.n_slots]
        load[r] += 1e-9 * power.sum()
    return load

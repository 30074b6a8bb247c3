"""What each job costs beside grid energy: moving data, waiting, being left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inputs.jobs import NO_INSTANT, FloatArray, Jobs
from inputs.settings import Settings
from planner.formulate.windows import Windows
from solvers.problem import Places

PINNED_WEIGHT = 1000.0
"""A pinned job outweighs a thousand others when not all can be placed."""

_G_PER_KG = 1000.0
_US_PER_HOUR = 3.6e9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobCosts:
    """Costs of the planned jobs, in the order of the problem.

    Parameters
    ----------
    place_kg
        Transfer emissions, shape (n_jobs, n_regions). [kg CO₂e]
    place_cost
        Objective cost of a region, shape (n_jobs, n_regions).
    delay_cost
        Objective cost of one slot of waiting, shape (n_jobs,).
    unplaced_cost
        Objective cost of being left out, shape (n_jobs,).
    unplaced_per_weight
        The same for a job of weight 1.
    """

    place_kg: FloatArray
    place_cost: FloatArray
    delay_cost: FloatArray
    unplaced_cost: FloatArray
    unplaced_per_weight: float


def job_costs(
    jobs: Jobs,
    rows: npt.NDArray[np.intp],
    *,
    windows: Windows,
    places: Places,
    settings: Settings,
) -> JobCosts:
    """Price what depends on a job and its region, but not on other jobs.

    Parameters
    ----------
    jobs
        All jobs.
    rows
        Those of the problem, in its order.
    windows
        Slots of all jobs.
    places
        Gives intensity and weights.
    settings
        Objective weights and transfer energy.
    """
    objective = settings.objective
    home = jobs.home[rows]
    moved_kwh = _transfer_kwh(jobs, rows, places, settings.transfer.kwh_per_gb)
    home_weight = places.weight_per_kwh.mean(axis=1)[home]
    home_g = places.g_per_kwh.mean(axis=1)[home]
    place_kg = moved_kwh * home_g[:, None] / _G_PER_KG
    waited = windows.waited_us[rows] / _US_PER_HOUR * objective.delay_per_hour
    place_cost = moved_kwh * home_weight[:, None] + waited[:, None]
    per_slot = objective.delay_per_hour * places.slot_hours
    delay_cost = np.full(len(rows), per_slot)
    pinned = jobs.pin_start_us[rows] != NO_INSTANT
    weight = jobs.weight[rows] * np.where(pinned, PINNED_WEIGHT, 1.0)
    if objective.unplaced == "auto":
        slots = windows.n_slots[rows] - 1 + windows.last_fraction[rows]
        energy = jobs.power_kw[rows] * slots * places.slot_hours
        wait = delay_cost * (windows.last[rows] - windows.first[rows])
        worth = _largest_saving(energy, wait, place_cost, places)
        per_weight = worth / float(weight.min(initial=1.0))
    else:
        per_weight = objective.unplaced
    return JobCosts(
        place_kg=place_kg,
        place_cost=place_cost,
        delay_cost=delay_cost,
        unplaced_cost=per_weight * weight,
        unplaced_per_weight=per_weight,
    )


def _transfer_kwh(
    jobs: Jobs, rows: npt.NDArray[np.intp], places: Places, kwh_per_gb: float
) -> FloatArray:
    """Energy to move each job's data to each region, none at home. [kWh]"""
    moved = jobs.data_gb[rows] * kwh_per_gb
    kwh = np.repeat(moved[:, None], places.n_regions, axis=1)
    kwh[np.arange(len(rows)), jobs.home[rows]] = 0.0
    return kwh


def _largest_saving(
    energy_kwh: FloatArray, wait: FloatArray, place_cost: FloatArray, places: Places
) -> float:
    """More than all jobs together could save by leaving one of them out.

    Each job's cost lies between its energy at the least weight (or free, from the
    sun) and at the greatest, so the sum of these ranges, and once more the dearest
    job, cannot be reached. Rounded up to two digits.
    """
    metered = energy_kwh[:, None] * places.pue
    dear = metered * np.maximum(places.weight_per_kwh.max(axis=1), 0.0) + place_cost
    cheap = metered * np.minimum(places.weight_per_kwh.min(axis=1), 0.0) + place_cost
    highest = dear.max(axis=1, initial=0.0) + wait
    lowest = cheap.min(axis=1, initial=np.inf)
    total = float((highest - lowest).sum() + np.abs(highest).max(initial=0.0))
    if total <= 0.0:
        return 1.0
    digit = 10.0 ** (np.floor(np.log10(total)) - 1)
    return float(np.ceil(1.01 * total / digit) * digit)

"""Prices runs at any time of the clock by the arithmetic of ``evaluate``.

A schedule starts on slot borders and uses what was planned. What really happened
does neither; it is priced by the same rules here: a run's energy is drawn evenly
from its start to its end, the runs of a slot share its sun in proportion to their
energy there, and the grid gives the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from solvers.errors import ScheduleMismatchError
from solvers.evaluate import IndexArray, solar_used
from solvers.problem import FloatArray, Int64Array, Places

_G_PER_KG = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Runs:
    """Stretches of work in one region each, shape (n_runs,) all.

    Parameters
    ----------
    region
        Index of the region.
    start_us, end_us
        From the start of the first slot. [µs]
    energy_kwh
        Metered energy of the whole run. [kWh]
    """

    region: IndexArray
    start_us: Int64Array
    end_us: Int64Array
    energy_kwh: FloatArray

    def __len__(self) -> int:
        return len(self.region)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunShares:
    """What each run uses and emits, shape (n_runs,).

    Parameters
    ----------
    solar_kwh, grid_kwh
        Where its energy came from. [kWh]
    emissions_kg
        Of its grid energy; moving data is not part of it. [kg CO₂e]
    """

    solar_kwh: FloatArray
    grid_kwh: FloatArray
    emissions_kg: FloatArray


def price_runs(places: Places, runs: Runs, *, step_us: int) -> RunShares:
    """Every run's share of sun and grid, and its emissions.

    Parameters
    ----------
    places
        Intensity, sun and budgets of each slot.
    runs
        What runs, and when.
    step_us
        Length of a slot. [µs]

    Raises
    ------
    ScheduleMismatchError
        If a run reaches out of the slots, or lies in no region.
    """
    run, cell, energy = _pairs(places, runs, step_us)
    size = places.n_regions * places.n_slots
    load = _totals(cell, energy, size).reshape(places.n_regions, places.n_slots)
    grid = load - solar_used(places, load)
    share = np.divide(grid, load, out=np.ones_like(grid), where=load > 0).ravel()
    drawn = energy * share[cell]
    carbon = drawn * places.g_per_kwh.ravel()[cell] / _G_PER_KG
    grid_kwh = _totals(run, drawn, len(runs))
    return RunShares(
        solar_kwh=runs.energy_kwh - grid_kwh,
        grid_kwh=grid_kwh,
        emissions_kg=_totals(run, carbon, len(runs)),
    )


def load_of(places: Places, runs: Runs, *, step_us: int) -> FloatArray:
    """Metered energy of runs in each slot, shape (n_regions, n_slots). [kWh]"""
    _, cell, energy = _pairs(places, runs, step_us)
    size = places.n_regions * places.n_slots
    load = _totals(cell, energy, size)
    return load.reshape(places.n_regions, places.n_slots)


def touched(
    places: Places, runs: Runs, flag: npt.NDArray[np.bool_], *, step_us: int
) -> npt.NDArray[np.bool_]:
    """Whether a run uses any slot that bears a flag, shape (n_runs,).

    Parameters
    ----------
    flag
        Shape (n_regions, n_slots).
    """
    run, cell, _ = _pairs(places, runs, step_us)
    return np.bincount(run, flag.ravel()[cell], len(runs)) > 0


def _totals(group: IndexArray, values: FloatArray, size: int) -> FloatArray:
    """Sum of the values of each group, shape (size,)."""
    sums: FloatArray = np.bincount(group, values, size).astype(np.float64)
    return sums


def _pairs(
    places: Places, runs: Runs, step_us: int
) -> tuple[IndexArray, IndexArray, FloatArray]:
    """Run, cell and energy of every slot that a run touches.

    A cell is a region's slot, counted region by region.
    """
    end = np.maximum(runs.end_us, runs.start_us + 1)  # its energy must go somewhere
    first, last = runs.start_us // step_us, (end - 1) // step_us
    wrong = (first < 0) | (last >= places.n_slots)
    wrong |= (runs.region < 0) | (runs.region >= places.n_regions)
    if wrong.any():
        at = int(np.flatnonzero(wrong)[0])
        raise ScheduleMismatchError(
            f"run {at} in region {runs.region[at]} uses slots {first[at]} to "
            f"{last[at]}; there are {places.n_regions} regions and "
            f"{places.n_slots} slots"
        )
    counts = last - first + 1
    run = np.repeat(np.arange(len(runs)), counts)
    slot = np.arange(len(run)) - np.repeat(np.cumsum(counts) - counts - first, counts)
    begins = np.maximum(runs.start_us[run], slot * step_us)
    ends = np.minimum(end[run], (slot + 1) * step_us)
    part = (ends - begins) / (end - runs.start_us)[run]
    cell = runs.region[run] * places.n_slots + slot
    return run, cell.astype(np.intp), runs.energy_kwh[run] * part

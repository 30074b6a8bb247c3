"""The inputs of a plan as arrays by region and slot, worked out from the contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from inputs.jobs import NO_INSTANT, Jobs
from inputs.timegrid import TimeGrid, from_us
from outputs.carry_over import EarlierWork

if TYPE_CHECKING:
    from inputs.settings import Settings

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.intp]

US_PER_HOUR = 3_600_000_000
G_PER_KG = 1000.0
TOLERANCE = 1e-6
"""Relative difference at which two sums no longer agree."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """Everything that a plan is checked against.

    Parameters
    ----------
    g_per_kwh, solar_kw, price
        Forecasts, shape (n_regions, n_slots); price is 0 without a forecast.
    earlier
        Work that already runs, None if there is none.
    """

    jobs: Jobs
    settings: Settings
    grid: TimeGrid
    g_per_kwh: FloatArray
    solar_kw: FloatArray
    price: FloatArray
    earlier: EarlierWork | None

    def __post_init__(self) -> None:
        shape = (self.n_regions, self.grid.n_slots)
        for name in ("g_per_kwh", "solar_kw", "price"):
            found = getattr(self, name).shape
            if found != shape:
                raise ValueError(f"{name} has shape {found}, expected {shape}")

    @property
    def n_regions(self) -> int:
        """Number of regions."""
        return len(self.settings.regions)

    @property
    def pue(self) -> FloatArray:
        """Metered over IT power, shape (n_regions,)."""
        return np.array([region.pue for region in self.settings.regions])

    @property
    def weight_per_kwh(self) -> FloatArray:
        """Objective weight of grid energy, shape (n_regions, n_slots)."""
        objective = self.settings.objective
        carbon = objective.carbon_price_per_kg * self.g_per_kwh / G_PER_KG
        return carbon + objective.energy_cost * self.price

    @property
    def earliest_us(self) -> Int64Array:
        """First instant of every job's window, cut to the horizon. [µs]"""
        given = np.where(
            self.jobs.earliest_us == NO_INSTANT,
            self.grid.start_us,
            self.jobs.earliest_us,
        )
        return np.maximum(given, self.grid.start_us)

    @property
    def deadline_us(self) -> Int64Array:
        """Last instant of every job's window, cut to the horizon. [µs]"""
        given = np.where(
            self.jobs.deadline_us == NO_INSTANT,
            self.grid.end_us,
            self.jobs.deadline_us,
        )
        return np.minimum(given, self.grid.end_us)

    def capacity(self, resource: str) -> FloatArray:
        """Units of a resource that each region owns, shape (n_regions,)."""
        regions = self.settings.regions
        return np.array([region.capacity.get(resource, 0.0) for region in regions])

    def transfer_kwh(self, job: IndexArray, region: IndexArray) -> FloatArray:
        """Energy to move each job's input data there; none at home. [kWh]"""
        moved = self.jobs.data_gb[job] * self.settings.transfer.kwh_per_gb
        return np.where(region == self.jobs.home[job], 0.0, moved)

    def at_home(self, per_kwh: FloatArray, job: IndexArray) -> FloatArray:
        """Mean over the horizon in each job's home region of a rate by slot."""
        mean: FloatArray = per_kwh.mean(axis=1)[self.jobs.home[job]]
        return mean

    def job_name(self, job: int) -> str:
        """How reports name a job."""
        return f'job "{self.jobs.ids[int(job)].as_py()}"'

    def slot_name(self, region: int, slot: int) -> str:
        """How reports name a region's slot."""
        name = self.settings.regions[region].name
        start = self.grid.slot_start(int(slot)).isoformat()
        return f'region "{name}", slot {start}'


def instant(us: int) -> str:
    """Instant as reports show it."""
    return from_us(us).isoformat()

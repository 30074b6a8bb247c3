"""What each limit costs: shadow prices by region and slot, in kg CO₂e.

A price is marginal and of the relaxed problem, in which jobs may be split: right for
small changes of one limit, silent about large ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from inputs.timegrid import TimeGrid

FloatArray = npt.NDArray[np.float64]

UNIT = "kg CO2e per unit and hour"
"""What one more unit of a limit saves while it is there for an hour; a unit of power
or sun is 1 kW, so that its price is per kWh."""

_LEAST = 1e-4
"""Part of the dearest limit's cost below which a limit is not worth naming."""

_NOISE = 0.01
"""Part of a limit's highest price below which an hour counts as free."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LimitPrice:
    """Price of one limit of one region over time.

    Parameters
    ----------
    region, limit
        Names, e.g. ``eu-north`` and ``gpu``, ``power kW`` or ``sun kW``.
    kg
        What one more unit would save while it is there for an hour, shape
        (n_slots,), not negative. [kg CO₂e per unit and hour]
    available
        Units that there are, shape (n_slots,).
    """

    region: str
    limit: str
    kg: FloatArray
    available: FloatArray

    def __post_init__(self) -> None:
        self.kg.setflags(write=False)
        self.available.setflags(write=False)

    @property
    def is_priced(self) -> npt.NDArray[np.bool_]:
        """Slots in which more of it would save something, shape (n_slots,)."""
        priced: npt.NDArray[np.bool_] = self.kg > _NOISE * self.kg.max()
        return priced

    def one_unit_kg(self, grid: TimeGrid) -> float:
        """Price of one unit more in every slot. [kg CO₂e]"""
        return float(self.kg.sum()) * grid.slot_hours

    def one_percent_kg(self, grid: TimeGrid) -> float:
        """Price of one percent more in every slot. [kg CO₂e]"""
        return 0.01 * float(self.kg @ self.available) * grid.slot_hours

    def priced_hours(self, grid: TimeGrid) -> float:
        """Time for which more of it would save something. [h]"""
        return float(self.is_priced.sum()) * grid.slot_hours

    def dearest(self) -> tuple[int, int]:
        """First slot, and the one after the last, around the highest price.

        The price is at least half of the highest in all of them.
        """
        low = np.flatnonzero(self.kg < 0.5 * self.kg.max())
        peak = int(self.kg.argmax())
        at = int(np.searchsorted(low, peak))
        begins = int(low[at - 1]) + 1 if at else 0
        ends = int(low[at]) if at < len(low) else len(self.kg)
        return begins, ends


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LimitPrices:
    """Prices of all limits of a day.

    Parameters
    ----------
    limits
        Every finite limit, in the order of regions.
    notes
        Sentences on what the prices count besides carbon.
    """

    limits: tuple[LimitPrice, ...]
    notes: tuple[str, ...] = ()

    def most_expensive(self, grid: TimeGrid, most: int) -> list[LimitPrice]:
        """Limits by what one percent more of them would save, dearest first.

        Percents make cpus, kilowatts and sun comparable.
        """
        costs = {limit: limit.one_percent_kg(grid) for limit in self.limits}
        worth = sorted(costs, key=lambda limit: -costs[limit])
        least = _LEAST * max(costs.values(), default=0.0)
        return [limit for limit in worth if costs[limit] > least][:most]


def summary(limit: LimitPrice, grid: TimeGrid) -> dict[str, Any]:
    """One limit in a few figures, for JSON."""
    begins, ends = limit.dearest()
    return {
        "region": limit.region,
        "limit": limit.limit,
        "dearest_from": grid.slot_start(begins).isoformat(),
        "dearest_until": grid.slot_start(ends).isoformat(),
        "kg_per_unit_hour_at_most": _figure(float(limit.kg.max())),
        "hours_priced": limit.priced_hours(grid),
        "one_unit_more_kg": _figure(limit.one_unit_kg(grid)),
        "one_percent_more_kg": _figure(limit.one_percent_kg(grid)),
    }


def figures(values: FloatArray) -> list[float]:
    """Prices with four digits each; the rest is noise."""
    return [_figure(value) for value in values.tolist()]


def _figure(value: float) -> float:
    return float(f"{value:.4g}")

"""A forecast on the slots of a time grid, with its origin and quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt

from inputs.timegrid import TimeGrid

FloatArray = npt.NDArray[np.float64]


class Series(StrEnum):
    """What is forecast; the unit of each is fixed inside the house."""

    CARBON = "carbon"
    SOLAR = "solar"
    PRICE = "price"

    @property
    def unit(self) -> str:
        """Unit of the values."""
        return {"carbon": "g/kWh", "solar": "kW", "price": "1/kWh"}[self.value]


class Signal(StrEnum):
    """Which emissions a carbon intensity counts; the two are never mixed."""

    AVERAGE = "average"
    MARGINAL = "marginal"


class Quality(IntEnum):
    """How the value of one slot came to be, best first."""

    PROVIDED = 0
    FILLED = 1
    TYPICAL = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Forecast:
    """Values of one series in one region, one for each slot.

    Parameters
    ----------
    series
        What is forecast.
    region
        Name of the workspace's region.
    grid
        The slots.
    values
        Mean over each slot, shape (n_slots,), finite. [g/kWh, kW or currency/kWh]
    provider
        Registered name of the provider that was really used.
    signal
        For carbon: average or marginal; None for other series.
    issued_at
        When the forecast was made, aware UTC; None when the source does not say.
    quality
        A ``Quality`` for each slot, shape (n_slots,).
    quantiles
        Level in (0, 1) to values, shape (n_slots,), where the source gives them.
    degraded
        Whether this is less than what the workspace asked for: a fallback, too
        old, or with more filled slots than allowed.
    notes
        Sentences for the plan and the report: what was used, filled or clipped.
    currency
        For prices: ISO 4217 code, where the source names one.
    """

    series: Series
    region: str
    grid: TimeGrid
    values: FloatArray
    provider: str
    signal: Signal | None = None
    issued_at: datetime | None = None
    quality: npt.NDArray[np.int8]
    quantiles: Mapping[float, FloatArray] = field(
        default_factory=lambda: MappingProxyType({})
    )
    degraded: bool = False
    notes: tuple[str, ...] = ()
    currency: str | None = None

    def __post_init__(self) -> None:
        arrays: list[npt.NDArray[Any]] = [self.values, self.quality]
        for array in (*arrays, *self.quantiles.values()):
            if array.shape != (self.grid.n_slots,):
                raise ValueError(
                    f"{self.series} forecast of {self.region} has shape "
                    f"{array.shape}, the grid has {self.grid.n_slots} slots"
                )
            array.setflags(write=False)
        if not np.isfinite(self.values).all():
            raise ValueError(f"{self.series} forecast of {self.region} has a hole")

    @property
    def filled_slots(self) -> int:
        """Number of slots whose value was filled in by rule."""
        return int((self.quality == Quality.FILLED).sum())

"""The same intensity everywhere and always: plans by deadline alone, and says so."""

from __future__ import annotations

from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from forecasts.provider import ForecastRequest, Observations, ProviderOptions
from forecasts.series import Quality, Series, Signal
from forecasts.typical_profiles import WORLD

NOTE = (
    "NOT CARBON-AWARE: no forecast, every hour and region counts the same "
    "{g_per_kwh:g} g/kWh, so jobs are placed by their deadlines and limits alone"
)


class FlatOptions(ProviderOptions):
    """Keys of ``[forecasts.carbon]`` for this provider.

    Parameters
    ----------
    g_per_kwh
        Intensity of every slot; by default the world's mean. [g/kWh]
    signal
        What it counts: that of the providers for which it stands in.
    """

    g_per_kwh: Annotated[float, Field(ge=1, le=2000)] = WORLD.g_per_kwh
    signal: Annotated[Signal, Field(strict=False)] = Signal.AVERAGE


class Flat:
    """Last stand-in of those who would rather plan blindly than not at all."""

    name: ClassVar[str] = "flat"
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON})
    Options: ClassVar[type[FlatOptions]] = FlatOptions

    def __init__(self, options: FlatOptions) -> None:
        self._options = options

    def fetch(self, request: ForecastRequest) -> Observations:
        """One value for the whole horizon."""
        grid, g_per_kwh = request.grid, self._options.g_per_kwh
        return Observations(
            series=Series.CARBON,
            place=request.region.name,
            times_us=np.array([grid.start_us], dtype=np.int64),
            steps_us=np.array([grid.end_us - grid.start_us], dtype=np.int64),
            values=np.array([g_per_kwh]),
            unit="g/kWh",
            signal=self._options.signal,
            quality=Quality.TYPICAL,
            notes=(NOTE.format(g_per_kwh=g_per_kwh),),
        )

"""On-site solar power under a cloudless sky, from the array's place and tilt."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from forecasts.errors import ForecastUnavailableError
from forecasts.photovoltaics import array_power_kw, clear_sky_irradiance, sun_position
from forecasts.provider import ForecastRequest, Observations, ProviderOptions
from forecasts.series import Series

_SAMPLE = timedelta(minutes=5)


class ClearSkyOptions(ProviderOptions):
    """Keys of ``[forecasts.solar]`` for this provider.

    Parameters
    ----------
    losses
        Share lost in dirt, wiring, mismatch and downtime.
    linke_turbidity
        Haze of the air: 2 very clean, 3 clean (default), 5 humid or polluted.
    clear_share
        Share of the clear-sky power to plan with; below 1 for cloudy places.
    """

    losses: Annotated[float, Field(ge=0, lt=1)] = 0.14
    linke_turbidity: Annotated[float, Field(ge=1, le=10)] = 3.0
    clear_share: Annotated[float, Field(gt=0, le=1)] = 1.0


class ClearSky:
    """Mean power over 5-minute pieces, each taken at its middle."""

    name: ClassVar[str] = "clear_sky"
    series: ClassVar[frozenset[Series]] = frozenset({Series.SOLAR})
    Options: ClassVar[type[ClearSkyOptions]] = ClearSkyOptions

    def __init__(self, options: ClearSkyOptions) -> None:
        self._options = options

    def fetch(self, request: ForecastRequest) -> Observations:
        """Power of the region's array over the whole horizon."""
        array, grid, options = request.region.solar, request.grid, self._options
        if array is None:
            raise ForecastUnavailableError(
                f"region {request.region.name} has no solar array"
            )
        step_us = _SAMPLE // timedelta(microseconds=1)
        starts = np.arange(grid.start_us, grid.end_us, step_us, dtype=np.int64)
        sun = sun_position(starts + step_us // 2, array)
        sky = clear_sky_irradiance(sun, options.linke_turbidity)
        power_kw = array_power_kw(sky, sun, array, losses=options.losses)
        return Observations(
            series=Series.SOLAR,
            place=request.region.name,
            times_us=starts,
            steps_us=np.full(len(starts), step_us, dtype=np.int64),
            values=power_kw * options.clear_share,
            unit="kW",
            notes=(self._note(),),
        )

    def _note(self) -> str:
        share = self._options.clear_share
        if share == 1:
            return "clear-sky model: clouds are ignored, real power will be lower"
        return f"clear-sky model times {share:g}: not a forecast of the clouds"

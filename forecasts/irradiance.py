"""From mean irradiance over intervals to the mean power of an array."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from forecasts.photovoltaics import (
    Air,
    Irradiance,
    array_power_kw,
    clear_sky_irradiance,
    sun_position,
)
from forecasts.provider import Int64Array
from forecasts.series import FloatArray
from inputs.settings import SolarArray

if TYPE_CHECKING:
    import pandas as pd

CELLS = 12
"""Parts of an interval in each of which the sun is taken to stand still."""

USUAL = 3.0
"""Linke turbidity of clean air, for the course of the beam within an interval."""

CLEANEST = 1.0
"""Linke turbidity of air without dust or vapour: no beam is stronger."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeanSky:
    """Means over intervals; every array has shape (n,), NaN where nothing is known.

    Parameters
    ----------
    starts_us, step_us
        Intervals of one length. [µs since 1970 UTC, µs]
    ghi, dhi
        Global and diffuse irradiance on the horizontal. [W/m²]
    air
        Temperature and wind.
    """

    starts_us: Int64Array
    step_us: int
    ghi: FloatArray
    dhi: FloatArray
    air: Air


def mean_power_kw(sky: MeanSky, array: SolarArray, *, losses: float) -> FloatArray:
    """Mean power over each interval, shape (n,). [kW]

    The beam, which is the global less the diffuse part, is spread over the parts of
    the interval as under a clear sky. Dividing it by the height of the sun in the
    middle alone would give spikes around sunrise and sunset.

    Parameters
    ----------
    sky
        What is forecast.
    array
        Size and orientation.
    losses
        Share lost in dirt, wiring, mismatch and downtime.
    """
    cell_us = sky.step_us // CELLS
    middles = np.arange(CELLS) * cell_us + cell_us // 2
    sun = sun_position((sky.starts_us[:, None] + middles).ravel(), array)
    dni, height = _beam(np.maximum(sky.ghi - sky.dhi, 0.0), sun)
    dhi = np.repeat(np.minimum(sky.dhi, sky.ghi), CELLS)
    cells = Irradiance(ghi=dni * height + dhi, dni=dni, dhi=dhi)
    air = replace(
        sky.air,
        celsius=np.repeat(sky.air.celsius, CELLS),
        wind_m_s=np.repeat(sky.air.wind_m_s, CELLS),
    )
    power = array_power_kw(cells, sun, array, losses=losses, air=air)
    known = np.isfinite(sky.ghi) & np.isfinite(sky.dhi)
    return np.where(known, power.reshape(-1, CELLS).mean(axis=1), np.nan)


def _beam(beam: FloatArray, sun: pd.DataFrame) -> tuple[FloatArray, FloatArray]:
    """Direct irradiance of each part of an interval, and the sine of the sun's height.

    Spread like that of a clear sky, so that its mean on the horizontal is ``beam``;
    never above that of the cleanest air.
    """
    height = np.maximum(np.cos(np.radians(sun["apparent_zenith"].to_numpy())), 0.0)
    clear = clear_sky_irradiance(sun, USUAL).dni
    flat = (clear * height).reshape(-1, CELLS).mean(axis=1)
    share = np.divide(beam, flat, out=np.zeros_like(beam), where=flat > 0)
    strongest = clear_sky_irradiance(sun, CLEANEST).dni
    return np.minimum(np.repeat(share, CELLS) * clear, strongest), height

"""From irradiance to the power of a photovoltaic array, with pvlib."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from forecasts.provider import Int64Array
from forecasts.series import FloatArray
from inputs.settings import SolarArray

if TYPE_CHECKING:
    import pandas as pd

AMBIENT_C = 20.0
"""Air temperature that is assumed where none is forecast. [°C]"""

HEATING_C_PER_W_M2 = 0.03
"""Rise of cell over air temperature, (NOCT 44 °C - 20 °C) / 800 W/m². [°C m²/W]"""

GAMMA_PER_C = -0.0035
"""Change of power with cell temperature, usual crystalline silicon. [1/°C]"""

INVERTER_EFFICIENCY = 0.96
"""Nominal efficiency of PVWatts; Dobos 2014, NREL/TP-6A20-62641."""

ALBEDO = 0.2
"""Share of light that the ground in front of the array reflects."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Irradiance:
    """Light from the sky at some instants; every array has shape (n,). [W/m²]

    Parameters
    ----------
    ghi
        Global on the horizontal.
    dni
        Direct at right angles to the sun.
    dhi
        Diffuse on the horizontal.
    """

    ghi: FloatArray
    dni: FloatArray
    dhi: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Air:
    """Air around an array at some instants; NaN where nothing is known.

    Parameters
    ----------
    celsius
        Temperature, shape (n,). [°C]
    wind_m_s
        Wind speed, shape (n,). [m/s]
    """

    celsius: FloatArray
    wind_m_s: FloatArray


def sun_position(times_us: Int64Array, array: SolarArray) -> pd.DataFrame:
    """Apparent zenith, azimuth and so on at each instant, as pvlib names them."""
    import pandas as pd
    from pvlib import solarposition

    index = pd.DatetimeIndex(times_us.astype("datetime64[us]"), tz="UTC")
    position: Any = solarposition.get_solarposition(
        index, array.latitude, array.longitude
    )
    return position  # type: ignore[no-any-return]


def clear_sky_irradiance(sun: pd.DataFrame, linke_turbidity: float) -> Irradiance:
    """Irradiance under a cloudless sky at sea level.

    Parameters
    ----------
    sun
        Of ``sun_position``.
    linke_turbidity
        Haze of the air: 2 is very clean and cold, 3 clean, 5 humid or polluted.

    References
    ----------
    Ineichen & Perez 2002, A new airmass independent formulation for the Linke
    turbidity coefficient, doi:10.1016/S0038-092X(02)00045-2.
    """
    from pvlib import atmosphere, clearsky, irradiance

    zenith = sun["apparent_zenith"]
    airmass = atmosphere.get_relative_airmass(zenith)
    # by number: pvlib 0.16 reads the day of an index in a way that pandas 3 warns of
    index: Any = sun.index
    day = np.asarray(index.day_of_year, dtype=np.float64)
    clear = clearsky.ineichen(
        zenith,
        airmass,
        linke_turbidity,
        dni_extra=irradiance.get_extra_radiation(day),
    )
    return Irradiance(
        ghi=_array(clear["ghi"]), dni=_array(clear["dni"]), dhi=_array(clear["dhi"])
    )


def array_power_kw(
    sky: Irradiance,
    sun: pd.DataFrame,
    array: SolarArray,
    *,
    losses: float,
    air: Air | None = None,
) -> FloatArray:
    """Power that an array feeds in at each instant, shape (n,). [kW]

    Light on the tilted plane (isotropic sky, ground reflection), less what glass
    reflects of the beam, times kWp, cell temperature, losses and inverter; never
    more than kWp.

    Parameters
    ----------
    sky
        Light at the instants of ``sun``.
    sun
        Of ``sun_position``.
    array
        Size and orientation.
    losses
        Share lost in dirt, wiring, mismatch and downtime.
    air
        Else 20 °C and a light wind.
    """
    from pvlib import iam, irradiance

    zenith, azimuth = sun["apparent_zenith"], sun["azimuth"]
    plane = irradiance.get_total_irradiance(
        array.tilt, array.azimuth, zenith, azimuth, sky.dni, sky.ghi, sky.dhi,
        albedo=ALBEDO,
    )  # fmt: skip
    angle = irradiance.aoi(array.tilt, array.azimuth, zenith, azimuth)
    beam = _array(plane["poa_direct"]) * _array(iam.physical(angle))
    light = np.maximum(beam + _array(plane["poa_diffuse"]), 0.0)
    cell_c = _cell_c(light, air)
    yield_ = (1 + GAMMA_PER_C * (cell_c - 25)) * (1 - losses) * INVERTER_EFFICIENCY
    return np.clip(array.kwp * light / 1000 * yield_, 0.0, array.kwp)


def _cell_c(light: FloatArray, air: Air | None) -> FloatArray:
    """Temperature of the cells, warmed by light and cooled by wind. [°C]

    References
    ----------
    Faiman 2008, Assessing the outdoor operating temperature of photovoltaic
    modules, doi:10.1002/pip.813.
    """
    from pvlib import temperature

    if air is None:
        return AMBIENT_C + HEATING_C_PER_W_M2 * light
    ambient = np.where(np.isfinite(air.celsius), air.celsius, AMBIENT_C)
    windy = temperature.faiman(light, ambient, air.wind_m_s)
    still = ambient + HEATING_C_PER_W_M2 * light
    return np.where(np.isfinite(windy), windy, still)


def _array(values: Any) -> FloatArray:
    return np.nan_to_num(np.asarray(values, dtype=np.float64))

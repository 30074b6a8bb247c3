"""Mean irradiance of intervals against a calculation by the minute."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from forecasts.irradiance import MeanSky, mean_power_kw
from forecasts.photovoltaics import (
    Air,
    array_power_kw,
    clear_sky_irradiance,
    sun_position,
)
from inputs.settings import SolarArray
from tests.factories_forecast import grid_of

HOUR_US = 3_600_000_000
MINUTES = np.arange(60) * 60_000_000 + 30_000_000
UNKNOWN = np.full(24, np.nan)


def array_at(tilt: float, azimuth: float) -> SolarArray:
    return SolarArray(
        kwp=1.0, latitude=52.5, longitude=13.4, tilt=tilt, azimuth=azimuth
    )


def sky_of(starts: np.ndarray, ghi: np.ndarray, dhi: np.ndarray) -> MeanSky:
    air = Air(celsius=UNKNOWN[: len(ghi)], wind_m_s=UNKNOWN[: len(ghi)])
    return MeanSky(starts_us=starts, step_us=HOUR_US, ghi=ghi, dhi=dhi, air=air)


@pytest.mark.parametrize("day", [date(2026, 6, 21), date(2026, 11, 22)])
@pytest.mark.parametrize(
    ("tilt", "azimuth"), [(35.0, 180.0), (0.0, 180.0), (30.0, 90.0), (90.0, 270.0)]
)
def test_hourly_means_give_the_power_of_a_calculation_by_the_minute(
    day: date, tilt: float, azimuth: float
) -> None:
    array, starts = array_at(tilt, azimuth), grid_of(day).starts_us()
    sun = sun_position((starts[:, None] + MINUTES).ravel(), array)
    sky = clear_sky_irradiance(sun, 4.0)
    by_minute = array_power_kw(sky, sun, array, losses=0.14).reshape(-1, 60)
    ghi, dhi = (v.reshape(-1, 60).mean(axis=1) for v in (sky.ghi, sky.dhi))
    power = mean_power_kw(sky_of(starts, ghi, dhi), array, losses=0.14)
    np.testing.assert_allclose(power, by_minute.mean(axis=1), atol=0.005)


def test_beam_of_a_low_sun_gives_no_spike() -> None:
    """All of a mean of 50 W/m² as beam, in the hour in which the sun rises."""
    starts = grid_of(date(2026, 11, 22)).starts_us()[6:7]
    sky = sky_of(starts, np.array([50.0]), np.array([0.0]))
    (power,) = mean_power_kw(sky, array_at(90.0, 120.0), losses=0.14)
    assert power < 0.2


def test_overcast_sky_is_the_same_for_every_direction() -> None:
    starts = grid_of(date(2026, 6, 21)).starts_us()[10:11]
    sky = sky_of(starts, np.array([200.0]), np.array([200.0]))
    towards = [
        mean_power_kw(sky, array_at(30.0, azimuth), losses=0.14)[0]
        for azimuth in (0.0, 90.0, 180.0, 270.0)
    ]
    assert max(towards) == pytest.approx(min(towards), rel=1e-9)
    assert 0.13 < towards[0] < 0.18


def test_diffuse_light_above_the_global_is_cut_and_night_is_dark() -> None:
    starts = grid_of(date(2026, 11, 22)).starts_us()[[2, 11]]
    more = mean_power_kw(
        sky_of(starts, np.array([0.0, 100.0]), np.array([0.0, 150.0])),
        array_at(35.0, 180.0),
        losses=0.14,
    )
    equal = mean_power_kw(
        sky_of(starts, np.array([0.0, 100.0]), np.array([0.0, 100.0])),
        array_at(35.0, 180.0),
        losses=0.14,
    )
    assert (more == equal).all()
    assert more[0] == 0

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from forecasts.clear_sky import ClearSky, ClearSkyOptions
from forecasts.errors import ForecastUnavailableError
from forecasts.series import Forecast, Series
from inputs.settings import SolarArray
from tests.factories_forecast import grid_of, prepared, region_of, request_of

BERLIN = {"kwp": 1.0, "latitude": 52.5, "longitude": 13.4}
JUNE, DECEMBER = date(2026, 6, 21), date(2026, 12, 21)


def power(
    array: dict[str, float], day: date = JUNE, minutes: int = 60, **options: Any
) -> Forecast:
    request = request_of(
        Series.SOLAR,
        region=region_of(solar=SolarArray(**array)),
        grid=grid_of(day, slot_minutes=minutes),
    )
    return prepared(ClearSky(ClearSkyOptions(**options)).fetch(request), request)


def test_clear_june_day_in_berlin_peaks_near_three_quarters_of_kwp() -> None:
    peak = power(BERLIN).values.max()
    assert 0.68 < peak < 0.80


def test_power_is_zero_at_night_and_largest_at_solar_noon() -> None:
    values = power(BERLIN, DECEMBER).values
    assert values[[0, 1, 2, 3, 4, 5, 17, 20, 23]].tolist() == [0.0] * 9
    assert np.argmax(values) in (10, 11)


def test_slot_holds_the_mean_over_the_slot() -> None:
    quarters, hours = power(BERLIN, minutes=15).values, power(BERLIN).values
    assert quarters.reshape(-1, 4).mean(axis=1) == pytest.approx(hours, rel=1e-12)
    sunrise = int(np.argmax(hours > 0))
    assert 0 < hours[sunrise] < quarters.reshape(-1, 4)[sunrise].max()


def test_power_is_in_proportion_to_size_and_share() -> None:
    one = power(BERLIN).values
    assert power({**BERLIN, "kwp": 250.0}).values == pytest.approx(250 * one)
    assert power(BERLIN, clear_share=0.5).values == pytest.approx(one / 2)
    assert power(BERLIN, losses=0.0).values.sum() > one.sum()


def test_east_comes_before_south_and_south_before_west() -> None:
    hours = np.arange(24)
    east, south, west = (
        (power({**BERLIN, "azimuth": azimuth}).values * hours).sum()
        / power({**BERLIN, "azimuth": azimuth}).values.sum()
        for azimuth in (90.0, 180.0, 270.0)
    )
    assert east + 1 < south < west - 1


def test_southern_hemisphere_has_its_summer_in_december() -> None:
    sydney = {"kwp": 1.0, "latitude": -33.9, "longitude": 151.2, "azimuth": 0.0}
    assert power(sydney, DECEMBER).values.sum() > 1.4 * power(sydney, JUNE).values.sum()


@pytest.mark.parametrize("latitude", [-90.0, 90.0, 78.0])
def test_polar_night_and_poles_are_numbers(latitude: float) -> None:
    values = power({**BERLIN, "latitude": latitude}, DECEMBER).values
    assert np.isfinite(values).all()
    if latitude > 0:
        assert not values.any()


def test_array_without_panels_gives_nothing() -> None:
    assert not power({**BERLIN, "kwp": 0.0}).values.any()


def test_model_says_that_it_ignores_clouds() -> None:
    assert "clouds" in power(BERLIN).notes[0]


def test_region_without_array_has_no_power() -> None:
    request = request_of(Series.SOLAR, region=region_of())
    with pytest.raises(ForecastUnavailableError, match="no solar array"):
        ClearSky(ClearSkyOptions()).fetch(request)


def test_half_hour_zone_keeps_the_sun_where_it_is() -> None:
    kolkata = SolarArray(kwp=1.0, latitude=22.6, longitude=88.4)
    grid = grid_of(JUNE, timezone="Asia/Kolkata")
    request = request_of(Series.SOLAR, region=region_of(solar=kolkata), grid=grid)
    values = prepared(ClearSky(ClearSkyOptions()).fetch(request), request).values
    assert grid.start.minute == 30
    noon = grid.start + timedelta(
        hours=float((values * np.arange(24)).sum() / values.sum()) + 0.5
    )
    assert noon.hour == 6  # 11:39 local solar time, 06:09 UTC


def test_pieces_are_taken_at_their_middle() -> None:
    # sundial and clock agree at Greenwich on 15 April, so the day balances at noon
    values = power({**BERLIN, "longitude": 0.0}, date(2026, 4, 15), minutes=5).values
    middles_min = 5 * np.arange(288) + 2.5
    assert (values * middles_min).sum() / values.sum() == pytest.approx(720, abs=1)

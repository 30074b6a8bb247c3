from __future__ import annotations

from datetime import date
from zoneinfo import available_timezones

import numpy as np
import pytest

from forecasts.provider import ProviderOptions
from forecasts.series import Forecast, Quality, Signal
from forecasts.typical import Typical
from forecasts.typical_profiles import FAMILIES, ZONES, Source, profile_of
from tests.factories_forecast import grid_of, prepared, region_of, request_of

MONDAY = date(2026, 6, 1)


def typical(zone: str | None, day: date = MONDAY, **grid: int) -> Forecast:
    request = request_of(region=region_of(zone=zone), grid=grid_of(day, **grid))
    return prepared(Typical(ProviderOptions()).fetch(request), request)


def test_profile_says_that_it_is_no_forecast() -> None:
    forecast = typical("DE")
    assert (forecast.quality == Quality.TYPICAL).all()
    assert "typical profile, not a forecast" in forecast.notes[0]
    assert "Ember 2023" in forecast.notes[0]
    assert forecast.signal is Signal.AVERAGE
    assert forecast.issued_at is None
    assert not forecast.degraded


@pytest.mark.parametrize("zone", ["DE", "US-CAL-CISO", "IN-WE", "SE-SE3"])
def test_week_has_the_mean_level_of_its_zone(zone: str) -> None:
    profile = profile_of(zone)
    assert profile is not None
    week = typical(zone, horizon_hours=168)
    # local weeks are cut at UTC midnight, so hours of two weekends may mix
    assert week.values.mean() == pytest.approx(profile.g_per_kwh, rel=0.005)


def test_longest_known_part_of_a_zone_wins() -> None:
    assert profile_of("US-CAL-CISO") is ZONES["US-CAL"]
    assert profile_of("US-HI") is ZONES["US"]
    assert profile_of("USA") is None


@pytest.mark.parametrize("zone", [None, "XX", "aws:eu-north-1"])
def test_unknown_zone_is_the_world_and_says_so(zone: str | None) -> None:
    forecast = typical(zone)
    assert "world" in forecast.notes[0]
    assert 400 < forecast.values.mean() < 560


def test_hours_are_those_of_the_zone_and_not_of_the_workspace() -> None:
    # midday in California, 20:00 UTC in June, is the clean time of its day
    assert np.argmin(typical("US-CAL-CISO").values) in (18, 19, 20)
    assert np.argmin(typical("DE").values) in (10, 11)


def test_weekend_is_cleaner_than_monday() -> None:
    sunday = typical("GB", date(2026, 5, 31))
    assert sunday.values.mean() < 0.95 * typical("GB").values.mean()


def test_long_day_repeats_its_double_hour() -> None:
    day = date(2026, 10, 25)
    request = request_of(
        region=region_of(zone="DE"), grid=grid_of(day, timezone="Europe/Berlin")
    )
    values = prepared(Typical(ProviderOptions()).fetch(request), request).values
    assert len(values) == 25
    assert values[2] == values[3]


def test_table_is_well_formed() -> None:
    zones = available_timezones()
    for zone, profile in ZONES.items():
        assert profile.family in FAMILIES, zone
        assert profile.timezone in zones, zone
        assert 20 <= profile.g_per_kwh <= 800, zone
        rounding = 10 if profile.source is Source.EMBER else 50
        if profile.g_per_kwh >= 100:
            assert profile.g_per_kwh % rounding == 0, zone
    for family in FAMILIES.values():
        assert len(family.hours) == 24
        assert 60 <= min(family.hours) <= max(family.hours) <= 130
        assert sum(family.hours) / 24 == pytest.approx(100, abs=2)

"""Solar power corrected by what the array fed in."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forecasts import Forecast
from forecasts.chain import build_chain, follow
from forecasts.errors import ForecastError
from forecasts.own.calendar import calendar_of
from forecasts.own.site_solar import Site, solar_timezone
from forecasts.photovoltaics import sun_position
from forecasts.series import Series
from inputs.settings import ForecastTable, SolarArray
from inputs.timegrid import day_grid
from tests.factories_forecast import ARRAY, HOUR_US, grid_of, region_of, request_of

DAY = date(2026, 6, 20)


def fed_in(n_days: int, *, share: np.ndarray | float = 1.0, noise: float = 0.0):
    """Hours of the days before DAY: a share of the clear-sky power. [kW]"""
    first = DAY - timedelta(days=n_days)
    calendar = calendar_of(first, DAY, timezone="UTC", step_us=HOUR_US)
    clear = Site.of(ARRAY, calendar).cells_kw[:-1]
    rng = np.random.default_rng(0)
    cloud = 1 - noise * rng.uniform(0, 1, (n_days, 1))
    times = calendar.starts_us[:-1, None] + HOUR_US * np.arange(24)
    return times.ravel(), (clear * share * cloud).ravel()


def solar(
    root: Path, times: np.ndarray, powers: np.ndarray, **table: object
) -> Forecast:
    columns = {
        "region": ["here"] * len(times),
        "start": pa.array(times).cast(pa.timestamp("us", "UTC")),
        "kw": powers,
    }
    root.mkdir(parents=True, exist_ok=True)
    pa_parquet.write_table(pa.table(columns), root / "fed_in.parquet")
    keys = {"provider": "site_solar", "history": "fed_in.parquet", **table}
    chain = build_chain(Series.SOLAR, ForecastTable.model_validate(keys))
    grid = day_grid(DAY, timezone="UTC", slot_minutes=15)
    request = request_of(Series.SOLAR, grid=grid, now=grid.start, root=root)
    return follow(chain, request).forecast


def clear_sky() -> Forecast:
    chain = build_chain(Series.SOLAR, ForecastTable(provider="clear_sky"))
    grid = day_grid(DAY, timezone="UTC", slot_minutes=15)
    return follow(chain, request_of(Series.SOLAR, grid=grid)).forecast


@pytest.mark.parametrize("share", [0.5, 0.8, 1.1])
def test_lasting_bias_of_the_physics_is_taken_away(
    tmp_path: Path, share: float
) -> None:
    forecast = solar(tmp_path, *fed_in(40, share=share))
    wanted = share * clear_sky().values.sum()
    assert forecast.values.sum() == pytest.approx(wanted, rel=0.04)


def test_shade_of_the_morning_is_learnt_for_the_morning_alone(tmp_path: Path) -> None:
    shade = np.where(np.arange(24) < 9, 0.4, 1.0)
    ratio = (
        solar(tmp_path, *fed_in(50, share=shade)).values[20:68]
        / (clear_sky().values[20:68])
    )
    assert ratio[:8].mean() < 0.6
    assert ratio[-20:].mean() > 0.9


def test_a_few_days_move_the_forecast_less_than_many(tmp_path: Path) -> None:
    clear = clear_sky().values.sum()
    sums = [
        solar(tmp_path / str(n), *fed_in(n, share=0.5)).values.sum() / clear
        for n in (4, 40)
    ]
    assert sums[1] < 0.55
    assert 0.8 < sums[0] < 1


@settings(max_examples=4, deadline=None)
@given(
    n_days=st.integers(1, 40),
    share=st.floats(0, 1.25),
    noise=st.sampled_from([0.0, 0.9]),
    limit=st.sampled_from([10.0, 60.0, 100.0]),
)
@example(n_days=4, share=0.0, noise=0.0, limit=10.0)  # an array that fed in nothing
def test_power_is_within_the_inverters_limit_and_zero_at_night(
    tmp_path_factory: pytest.TempPathFactory,
    n_days: int,
    share: float,
    noise: float,
    limit: float,
) -> None:
    root = tmp_path_factory.mktemp("site")
    forecast = solar(root, *fed_in(n_days, share=share, noise=noise), ac_limit_kw=limit)
    night = clear_sky().values == 0
    assert night.any()
    levels = [forecast.quantiles[q] for q in sorted(forecast.quantiles)]
    for values in (forecast.values, *levels):
        assert (values[night] == 0).all()
        assert values.min() >= 0
        assert values.max() <= limit
    if levels:
        assert (np.diff(np.stack(levels), axis=0) >= 0).all()


def test_quantiles_spread_with_the_weather_of_late(tmp_path: Path) -> None:
    steady = solar(tmp_path / "a", *fed_in(40, share=0.8))
    wild = solar(tmp_path / "b", *fed_in(40, share=0.8, noise=0.9))
    spread = [f.quantiles[0.95].sum() - f.quantiles[0.05].sum() for f in (steady, wild)]
    assert spread[0] < 0.1 * spread[1]


def test_power_that_is_fed_in_later_changes_nothing(tmp_path: Path) -> None:
    times, powers = fed_in(20, share=0.7, noise=0.5)
    before = solar(tmp_path, times, powers)
    later = times[-1] + HOUR_US * np.arange(1, 25)
    after = solar(
        tmp_path, np.append(times, later), np.append(powers, np.full(24, 99.0))
    )
    assert (after.values == before.values).all()
    assert all((after.quantiles[q] == v).all() for q, v in before.quantiles.items())


def test_region_without_an_array_is_refused(tmp_path: Path) -> None:
    table = {"provider": "site_solar", "history": "x.csv"}
    chain = build_chain(Series.SOLAR, ForecastTable.model_validate(table))
    request = request_of(Series.SOLAR, region=region_of(), root=tmp_path)
    with pytest.raises(ForecastError, match="has no solar array"):
        follow(chain, request)


@pytest.mark.parametrize("longitude", [-118.0, 0.0, 13.4, 172.0])
def test_zone_of_the_sun_has_its_noon_at_noon(longitude: float) -> None:
    from zoneinfo import ZoneInfo

    array = SolarArray(kwp=1, latitude=30.0, longitude=longitude)
    grid = grid_of(date(2026, 4, 15), timezone=solar_timezone(array))
    zenith = sun_position(grid.starts_us(), array)["zenith"].to_numpy()
    noon = grid.slot_start(int(zenith.argmin()))
    assert noon.astimezone(ZoneInfo(solar_timezone(array))).hour in (11, 12, 13)

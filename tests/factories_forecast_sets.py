"""Hypothesis strategies for whole sets of forecasts."""

from __future__ import annotations

from datetime import UTC, date

import numpy as np
from hypothesis import strategies as st

from forecasts.gathering import ForecastSet
from forecasts.series import Forecast, Quality, Series, Signal
from inputs.timegrid import TimeGrid, day_grid

TEXT = st.text(max_size=12)
FINITE = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def grids(draw: st.DrawFn) -> TimeGrid:
    return day_grid(
        draw(st.dates(date(2020, 1, 1), date(2035, 12, 31))),
        timezone=draw(st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kolkata"])),
        slot_minutes=draw(st.sampled_from([30, 60])),
        horizon_hours=draw(st.integers(1, 30)),
    )


@st.composite
def forecasts_on(
    draw: st.DrawFn, grid: TimeGrid, series: Series, region: str
) -> Forecast:
    n = grid.n_slots
    levels = draw(st.lists(st.sampled_from([0.1, 0.25, 0.5, 0.9, 1 / 3]), unique=True))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.normal(size=n)
    values[draw(st.integers(0, n - 1))] = draw(FINITE)
    issued = st.datetimes(timezones=st.just(UTC))
    return Forecast(
        series=series,
        region=region,
        grid=grid,
        values=values,
        provider=draw(TEXT),
        signal=draw(st.none() | st.sampled_from(Signal)),
        issued_at=draw(st.none() | issued),
        quality=rng.choice(np.array(Quality, dtype=np.int8), n),
        quantiles={level: rng.normal(size=n) for level in levels},
        degraded=draw(st.booleans()),
        notes=tuple(draw(st.lists(TEXT, max_size=2))),
        currency=draw(st.none() | st.just("EUR")),
    )


@st.composite
def forecast_sets(draw: st.DrawFn) -> ForecastSet:
    grid = draw(grids())
    regions = draw(st.lists(TEXT, min_size=1, max_size=3, unique=True))

    def each(series: Series) -> list[Forecast]:
        return [draw(forecasts_on(grid, series, region)) for region in regions]

    solar = tuple(
        forecast if draw(st.booleans()) else None for forecast in each(Series.SOLAR)
    )
    return ForecastSet(
        grid=grid,
        carbon=tuple(each(Series.CARBON)),
        solar=solar,
        price=tuple(each(Series.PRICE)) if draw(st.booleans()) else None,
        files=tuple(draw(st.lists(st.tuples(TEXT, TEXT), max_size=2))),
        notes=tuple(draw(st.lists(TEXT, max_size=2))),
        degraded=draw(st.booleans()),
    )

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.errors import ForecastError
from forecasts.intervals import Intervals
from forecasts.resample import to_slots
from forecasts.series import Series
from tests.factories_forecast import (
    HOUR_US,
    grid_of,
    observations_of,
    prepared,
    request_of,
)
from tests.factories_forecast_sets import grids

MINUTE_US = HOUR_US // 60
NO_GAP = timedelta(0)


@st.composite
def covering(draw: st.DrawFn, n_minutes: int) -> tuple[np.ndarray, np.ndarray]:
    """Interval lengths of 5 to 60 min in any mixture, and a value for each."""
    lengths = draw(st.lists(st.integers(5, 60), min_size=1, max_size=40))
    repeated = np.resize(lengths, n_minutes // 5 + 1)
    count = int(np.searchsorted(np.cumsum(repeated), n_minutes)) + 1
    seed = draw(st.integers(0, 2**32))
    return repeated[:count], np.random.default_rng(seed).uniform(0, 900, count)


@settings(max_examples=60, deadline=None)
@given(st.data(), grids(), st.integers(0, 59))
def test_energy_of_the_day_is_kept(data: Any, grid: Any, shift: int) -> None:
    minutes = (grid.end_us - grid.start_us) // MINUTE_US
    lengths, values = data.draw(covering(minutes + shift))
    starts = grid.start_us + MINUTE_US * (np.cumsum(lengths) - lengths - shift)
    ends = starts + MINUTE_US * lengths
    intervals = Intervals(
        starts_us=starts, steps_us=ends - starts, columns=values[np.newaxis]
    )
    slots = to_slots(intervals, grid, max_gap=NO_GAP)
    inside = np.clip(ends, None, grid.end_us) - np.clip(starts, grid.start_us, None)
    expected = (np.maximum(inside, 0) * values).sum()
    assert slots.columns[0].sum() * grid.step_us == pytest.approx(expected, rel=1e-9)
    assert not slots.filled.any()
    within = values.min() - 1e-9, values.max() + 1e-9
    assert within[0] <= slots.columns.min() <= slots.columns.max() <= within[1]


@settings(max_examples=60, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 3), st.integers(0, 2**32))
def test_order_and_repeats_do_not_matter(random: Any, times: int, seed: int) -> None:
    values = np.random.default_rng(seed).uniform(1, 900, 24)
    plain = observations_of(values, quantiles={0.9: values + 5})
    order = list(range(24)) * times
    random.shuffle(order)
    mixed = replace(
        plain,
        times_us=plain.times_us[order],
        values=values[order],
        quantiles={0.9: plain.quantiles[0.9][order]},
    )
    one, other = prepared(plain), prepared(mixed)
    assert one.values.tobytes() == other.values.tobytes()
    assert one.quantiles[0.9].tobytes() == other.quantiles[0.9].tobytes()
    assert one.notes == other.notes


@settings(max_examples=40, deadline=None)
@given(st.sampled_from([5, 10, 15, 20, 30]), st.integers(0, 2**32))
def test_finer_data_with_the_same_means_give_the_same_slots(
    minutes: int, seed: int
) -> None:
    values = np.random.default_rng(seed).uniform(1, 900, 24)
    pieces = 60 // minutes
    fine = observations_of(np.repeat(values, pieces), step_us=minutes * MINUTE_US)
    coarse = observations_of(values)
    for slot_minutes in (5, 15, 20, 60):
        request = request_of(grid=grid_of(slot_minutes=slot_minutes))
        assert prepared(fine, request).values == pytest.approx(
            prepared(coarse, request).values, rel=1e-12
        )


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 23), min_size=1, max_size=23), st.booleans())
def test_hole_is_filled_in_sight_of_its_neighbours_or_refused(
    missing: set[int], marked: bool
) -> None:
    values = np.random.default_rng(0).uniform(200, 400, 24)
    holes = sorted(missing)
    told = observations_of(np.where(np.isin(range(24), holes), np.nan, values))
    if not marked:
        kept = [i for i in range(24) if i not in missing]
        told = replace(told, times_us=told.times_us[kept], values=values[kept])
    steps = np.full(len(told.values), HOUR_US)
    told = replace(told, steps_us=steps)
    longest = max(
        len(run)
        for run in "".join("x" if i in missing else " " for i in range(24)).split(" ")
    )
    try:
        forecast = prepared(told)
    except ForecastError:
        edges = {0, 1} <= missing or {22, 23} <= missing
        assert longest > 2 or edges
        return
    assert longest <= 2
    assert np.flatnonzero(forecast.quality).tolist() == holes
    assert forecast.values.min() >= 200
    assert (np.delete(forecast.values, holes) == np.delete(values, holes)).all()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.integers(-2000, 4000),
            st.floats(width=32) | st.sampled_from([-1.0, 0.0, 1e308]),
        ),
        max_size=60,
    ),
    st.sampled_from(["g/kWh", "lb/MWh", "", "kW", "Wh", "EUR/MWh"]),
    st.sampled_from(Series),
)
def test_anything_is_either_refused_or_a_whole_plausible_day(
    rows: list[tuple[int, float]], unit: str, series: Series
) -> None:
    grid = grid_of()
    times = np.array([grid.start_us + m * MINUTE_US for m, _ in rows], dtype=np.int64)
    values = np.array([value for _, value in rows], dtype=np.float64)
    told = observations_of(values, times_us=times, unit=unit, series=series)
    try:
        forecast = prepared(told, request_of(series))
    except ForecastError:
        return
    assert np.isfinite(forecast.values).all()
    assert np.abs(forecast.values).max() <= 2000
    if series is not Series.PRICE:
        assert forecast.values.min() >= 0


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_quantiles_never_cross(seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = rng.uniform(0, 900, (3, 24))
    levels = dict(zip((0.9, 0.1, 0.5), columns, strict=True))
    quantiles = prepared(observations_of(columns[0], quantiles=levels)).quantiles
    assert list(quantiles) == [0.1, 0.5, 0.9]
    stacked = np.stack(list(quantiles.values()))
    assert (np.diff(stacked, axis=0) >= 0).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 23), st.sampled_from([0.1, 0.9]))
def test_quantile_with_a_hole_is_left_out_and_the_others_kept(
    hole: int, level: float
) -> None:
    values = np.full(24, 300.0) + np.arange(24)
    quantiles = {0.1: values - 50, 0.9: values + 50}
    broken = quantiles[level].copy()
    broken[hole] = np.nan
    told = observations_of(values, quantiles={**quantiles, level: broken})
    forecast = prepared(told)
    assert list(forecast.quantiles) == [other for other in quantiles if other != level]
    assert any("left out" in note for note in forecast.notes)

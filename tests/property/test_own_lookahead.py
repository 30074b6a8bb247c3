"""No forecast of our own depends on anything that was not known then."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecasts.own.conformal import quantiles
from forecasts.own.learned import blend
from forecasts.own.past import Past
from forecasts.own.providers import FORECASTERS
from forecasts.series import FloatArray
from tests.factories_past import intensity, past_of

N_DAYS = 32
SPRING = date(2026, 3, 1)  # the clocks change on row 28


def published_of(actual: FloatArray) -> FloatArray:
    rng = np.random.default_rng(1)
    return np.asarray(actual + rng.normal(0, 20, actual.shape))


def forecast_by(name: str, past: Past, published: FloatArray) -> FloatArray:
    return blend(past, published) if name == "blend" else FORECASTERS[name](past)


@pytest.mark.parametrize("name", [*FORECASTERS, "blend"])
@settings(max_examples=4, deadline=None)
@given(
    row=st.integers(2, N_DAYS - 1),
    lead=st.sampled_from([-9.0, 0.0, 12.0, 36.0]),
    poison=st.sampled_from([np.nan, 0.0, 1e6]),
)
def test_poisoned_future_changes_nothing(
    name: str, row: int, lead: float, poison: float
) -> None:
    actual = intensity(N_DAYS)
    published = published_of(actual)
    place = {"lead_hours": lead, "timezone": "Europe/Berlin", "first": SPRING}
    past = past_of(actual, **place)
    later = past.calendar.ends_us > past.cuts_us[row]
    poisoned = past_of(np.where(later, poison, actual), **place)
    shown = published.copy()
    shown[row + 1 :] = poison
    clean = forecast_by(name, past, published)
    dirty = forecast_by(name, poisoned, shown)
    assert np.array_equal(clean[row], dirty[row], equal_nan=True)
    bands, dirty_bands = quantiles(clean, past), quantiles(dirty, poisoned)
    for level, table in bands.items():
        assert np.array_equal(table[row], dirty_bands[level][row], equal_nan=True)


@pytest.mark.parametrize("name", [*FORECASTERS, "blend"])
@settings(max_examples=3, deadline=None)
@given(
    gaps=st.lists(st.integers(0, N_DAYS * 24 - 1), max_size=300),
    per_day=st.sampled_from([24, 48]),
    seed=st.integers(0, 100),
)
def test_gaps_leave_a_finite_forecast_and_rising_quantiles(
    name: str, gaps: list[int], per_day: int, seed: int
) -> None:
    actual = intensity(N_DAYS, per_day=per_day, seed=seed)
    published = published_of(actual)
    actual.ravel()[gaps] = np.nan
    past = past_of(actual)
    forecast = forecast_by(name, past, published)
    assert np.isfinite(forecast[-1]).all()
    bands = quantiles(forecast, past)
    stacked = np.stack([bands[level][-1] for level in sorted(bands)])
    known = np.isfinite(stacked).all(axis=0)
    assert known.any()
    assert (np.diff(stacked[:, known], axis=0) >= 0).all()

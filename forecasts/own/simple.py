"""Forecasters without a model: the same hour before, and the usual day."""

from __future__ import annotations

import numpy as np

from forecasts.own.past import Past, newest_known
from forecasts.series import FloatArray

HALF_LIFE_DAYS = 14.0
"""Age at which a day counts half as much in the usual day."""

OTHER_KIND = 0.5
"""Weight of a working day for a weekend and the other way round."""

SAME_WEEKDAY = 1.5
"""Weight of the same day of the week, against others of its kind."""

SEASON_WEIGHT = 0.1
"""Weight of the same season a year ago, against that of yesterday."""

SEASON_DAYS = 15.0
"""Width of a season around the same date. [d]"""

_YEAR_DAYS = 365.25
_SATURDAY = 5


def yesterday(past: Past) -> FloatArray:
    """Value of the same hour of the newest day that was known then."""
    return newest_known(past)


def last_week(past: Past) -> FloatArray:
    """Value of the same hour of the newest such weekday that was known then."""
    return newest_known(past, stride=7)


def climatology(past: Past) -> FloatArray:
    """Weighted mean of the same hour over all complete days before.

    Notes
    -----
    Day ``i`` weighs, in the forecast of day ``j``,

        (2^(-age / half-life) + season · exp(-(distance / width)² / 2)) · kind

    with the distance of its age to the nearest whole number of years, and ``kind``
    as above for weekends and weekdays.
    """
    weights = _weights(past)
    known = np.isfinite(past.actual)
    total = weights @ np.where(known, past.actual, 0.0)
    weight = weights @ known
    usual = np.full(past.actual.shape, np.nan)
    np.divide(total, weight, out=usual, where=weight > 0)
    return usual


def _weights(past: Past) -> FloatArray:
    """Weight of each day (column) in the forecast of each day (row)."""
    n_days, _ = past.calendar.shape
    rows = np.arange(n_days)
    age = rows[:, None] - rows
    years = np.round(age / _YEAR_DAYS)
    distance = (age - years * _YEAR_DAYS) / SEASON_DAYS
    season = SEASON_WEIGHT * np.exp(-(distance**2) / 2) * (years > 0)
    weekday = past.calendar.weekdays
    weekend = weekday >= _SATURDAY
    kind = np.where(weekend[:, None] == weekend, 1.0, OTHER_KIND)
    kind *= np.where(weekday[:, None] == weekday, SAME_WEEKDAY, 1.0)
    known = rows < past.complete_rows[:, None]
    recent = 0.5 ** (np.maximum(age, 0) / HALF_LIFE_DAYS)
    return np.where(known & (age > 0), (recent + season) * kind, 0.0)

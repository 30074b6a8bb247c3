"""Forecasters that learn: from lags and calendar, and from a published forecast."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecasts.own.past import Past, latest_level, newest_known
from forecasts.own.ridge import Design, fit_and_predict
from forecasts.own.simple import climatology, last_week
from forecasts.series import FloatArray

SCALE_DAYS = 28
"""Days whose spread is the unit in which features are given."""

LEAST_DAYS = 3
"""Complete days from which on anything is learnt."""

_SATURDAY = 5


def learned(past: Past, *, weather: Sequence[FloatArray] = ()) -> FloatArray:
    """Forecast of every day by regression on lags, calendar and weather.

    The regression explains the distance from yesterday's mean with the usual day's
    shape; with nothing learnt yet, that is the forecast.

    Parameters
    ----------
    past
        Actual values and what was known when.
    weather
        Forecasts of other quantities as they were known at each cut, shape (n_days,
        n_columns) each, in any unit; NaN, where nothing is known, says nothing.

    Returns
    -------
    ndarray, shape (n_days, n_columns)
        NaN where nothing at all is known.
    """
    usual, latest = climatology(past), newest_known(past)
    level = _row_mean(latest)
    base = level + _shape(usual)
    base = np.where(
        np.isfinite(base), base, np.where(np.isfinite(latest), latest, usual)
    )
    scale = _scale(past)
    lags = [
        latest - base,
        _or(newest_known(past, nth=2), latest) - base,
        _or(last_week(past), usual) - base,
        usual - base,
        *_levels(past, level),
    ]
    features = [_full(lag, base) / scale for lag in lags] + _calendar(past)
    features += [_full(_standard(table, past), base) for table in weather]
    return base + _regressed(past, base, features, scale=scale)


def blend(
    past: Past, published: FloatArray, *, weather: Sequence[FloatArray] = ()
) -> FloatArray:
    """A published forecast, put right by its own past errors and by lags.

    With nothing learnt yet it is the published forecast itself.

    Parameters
    ----------
    past
        Actual values and what was known when.
    published
        What had been published for each cell at its cut, shape (n_days, n_columns);
        NaN where nothing was.
    weather
        As for ``learned``.
    """
    usual, latest = climatology(past), newest_known(past)
    level, said = _row_mean(latest), _row_mean(published)
    # An array that fed in nothing has no spread of its own to measure errors by.
    scale = np.maximum(_scale(past), 1e-3 * np.abs(np.nan_to_num(said)))
    missed = _missed(past, published)
    lags = [
        latest - published,
        _or(last_week(past), usual) - published,
        usual - published,
        _full(level - said, published),
        published - said,
        _or(newest_known(missed), 0 * published),
        _full(latest_level(missed, hours=3)[:, None], published),
        *_levels(past, level),
    ]
    features = [_full(lag, published) / scale for lag in lags] + _calendar(past)
    features += [_full(_standard(table, past), published) for table in weather]
    return published + _regressed(past, published, features, scale=scale)


def _regressed(
    past: Past, base: FloatArray, features: list[FloatArray], *, scale: FloatArray
) -> FloatArray:
    """What the features say about the distance from a base. [unit of the series]"""
    design = Design(
        features=np.stack([*features, np.ones_like(base)], axis=-1),
        target=(past.actual - base) / scale,
        learnable=past.complete_rows,
    )
    return np.nan_to_num(fit_and_predict(design) * scale)


def _missed(past: Past, published: FloatArray) -> Past:
    """Errors of the published forecast as a past of their own."""
    return Past(
        calendar=past.calendar, actual=past.actual - published, cuts_us=past.cuts_us
    )


def _levels(past: Past, level: FloatArray) -> list[FloatArray]:
    """Where the last hours and the last days stand against the newest mean."""
    shape = np.zeros(past.calendar.shape)
    return [
        latest_level(past, hours=hours)[:, None] - level + shape for hours in (1, 6, 72)
    ]


def _calendar(past: Past) -> list[FloatArray]:
    """Whether the day, and the one before it, is a weekend; shape of the table."""
    weekend = past.calendar.weekdays >= _SATURDAY
    before = (past.calendar.weekdays - 1) % 7 >= _SATURDAY
    like = np.zeros(past.calendar.shape)
    return [weekend[:, None] + like, before[:, None] + like]


def _scale(past: Past) -> FloatArray:
    """Typical spread of the last weeks as known at each cut, shape (n_days, 1)."""
    known = np.isfinite(past.actual)
    values = np.where(known, past.actual, 0.0)
    sums = np.stack([known.sum(1), values.sum(1), (values**2).sum(1)])
    until = past.complete_rows
    since = np.maximum(until - SCALE_DAYS, 0)
    total = np.concatenate([np.zeros((3, 1)), np.cumsum(sums, axis=1)], axis=1)
    n, first, second = total[:, until] - total[:, since]
    n = np.maximum(n, 1)
    spread = np.sqrt(np.maximum(second / n - (first / n) ** 2, 0))
    scale = np.maximum(spread, 1e-3 * np.abs(first / n) + 1e-9)
    return np.where(until - since >= LEAST_DAYS, scale, np.nan)[:, None]


def _standard(table: FloatArray, past: Past) -> FloatArray:
    """Another quantity around its own past mean, in units of its past spread."""
    own = Past(calendar=past.calendar, actual=table, cuts_us=past.cuts_us)
    usual = climatology(own)
    centre = np.where(np.isfinite(usual), usual, table)
    return (table - centre) / _scale(own)


def _row_mean(table: FloatArray) -> FloatArray:
    """Mean of what is known in each row, shape (n_days, 1); NaN of nothing."""
    known = np.isfinite(table)
    count = known.sum(axis=1, keepdims=True)
    total = np.where(known, table, 0.0).sum(axis=1, keepdims=True)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _shape(table: FloatArray) -> FloatArray:
    return table - _row_mean(table)


def _or(table: FloatArray, other: FloatArray) -> FloatArray:
    return np.where(np.isfinite(table), table, other)


def _full(table: FloatArray, like: FloatArray) -> FloatArray:
    """Feature with zero, which says nothing, where it is not known."""
    shaped = table + np.zeros_like(like)
    return np.where(np.isfinite(shaped) | ~np.isfinite(like), shaped, 0.0)

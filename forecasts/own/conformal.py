"""Quantiles of a forecast from its own past errors, held to what they promise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from forecasts.own.past import Past
from forecasts.series import FloatArray

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95)
"""Quantile levels of every forecast of our own."""

WINDOW_DAYS = 75
"""Days of past errors that quantiles are taken from."""

LEAST_DAYS = 10
"""Days of past errors below which there are no quantiles."""

SIZE_HALF_LIFE_DAYS = 4.0
"""Age at which a day counts half as much in the size of errors to be expected."""

POOLED_HOURS = 1.0
"""Distance of hours on the clock whose errors are taken together. [h]"""

STEP = 0.03
"""How fast a level gives way when too many or too few values lay beyond it."""


def quantiles(
    forecast: FloatArray, past: Past, *, levels: Sequence[float] = LEVELS
) -> Mapping[float, FloatArray]:
    """Calibrated quantiles of every day that a forecaster has forecast.

    Parameters
    ----------
    forecast
        What it said of each day from what was known at its cut, shape (n_days,
        n_columns).
    past
        Actual values and what was known when.
    levels
        In (0, 1).

    Returns
    -------
    mapping
        Level to quantile, shape (n_days, n_columns), rising with the level; NaN
        where too few errors were known.

    Notes
    -----
    Split conformal prediction: the errors of the last ``WINDOW_DAYS`` at the same
    hour of the day (and so at the same lead) and its neighbours, each divided by the
    size of errors that was usual then, give with their rank ⌈(n + 1) q⌉ the quantile
    of level q, times the size that is usual now. The level that is asked of them
    follows, day by day, the share of values that lay below: q ← q + γ (level -
    share), so that coverage comes back when the grid changes.

    References
    ----------
    Lei et al. 2018, Distribution-Free Predictive Inference for Regression,
    doi:10.1080/01621459.2017.1307116. Gibbs & Candès 2021, Adaptive Conformal
    Inference Under Distribution Shift, NeurIPS 34.
    """
    errors = past.actual - forecast
    size = _usual_size(errors, past)
    relative = _pooled(errors / size)
    asked = np.array(sorted(levels))
    wanted = asked.copy()
    found = np.full((len(asked), *forecast.shape), np.nan)
    judged = 0
    for day in range(len(forecast)):
        until = past.complete_rows[day]
        while judged < until:
            wanted += _lesson(
                errors[judged], found[:, judged] - forecast[judged], asked
            )
            judged += 1
        window = relative[max(until - WINDOW_DAYS, 0) : until]
        offsets = _ranked(window, wanted)
        found[:, day] = np.sort(forecast[day] + offsets * size[day], axis=0)
    return dict(zip(asked.tolist(), found, strict=True))


def _lesson(errors: FloatArray, offsets: FloatArray, asked: FloatArray) -> FloatArray:
    """How each level is to move after a day whose values are known."""
    judged = np.isfinite(errors) & np.isfinite(offsets).all(axis=0)
    if not judged.any():
        return np.zeros(len(asked))
    share = (errors[judged] <= offsets[:, judged]).mean(axis=1)
    return np.asarray(STEP * (asked - share))


def _ranked(window: FloatArray, wanted: FloatArray) -> FloatArray:
    """Quantiles of each column of past errors, shape (n_levels, n_columns).

    Ranks count from 1 of n + 1; between two ranks the line is taken, beyond the
    last one the last distance is repeated at most once.
    """
    n_columns = window.shape[-1]
    ordered = np.sort(window.reshape(-1, n_columns), axis=0)
    counts = np.isfinite(ordered).sum(axis=0)
    enough = counts >= LEAST_DAYS
    if not enough.any():
        return np.full((len(wanted), n_columns), np.nan)
    rank = np.clip(wanted, 0, 1)[:, None] * (counts + 1) - 1
    rank = np.clip(rank, 0, np.maximum(counts - 1, 0))
    low = np.floor(rank).astype(np.int64)
    high = np.minimum(low + 1, np.maximum(counts - 1, 0))
    below = np.take_along_axis(ordered, low, axis=0)
    above = np.take_along_axis(ordered, high, axis=0)
    offsets = below + (rank - low) * (above - below)
    return np.where(enough, offsets, np.nan)


def _usual_size(errors: FloatArray, past: Past) -> FloatArray:
    """Recent mean of absolute errors as known at each cut, shape (n_days, 1)."""
    decay = 0.5 ** (1 / SIZE_HALF_LIFE_DAYS)
    daily, counts = _sums(errors, np.isfinite(errors))
    begun, begun_counts = _begun(errors, past)
    size = np.full(len(errors), np.nan)
    total = count = 0.0
    row = 0
    for day, until in enumerate(past.complete_rows):
        while row < until:
            total = decay * total + daily[row]
            count = decay * count + counts[row]
            row += 1
        known = decay * count + begun_counts[day]
        if known > 0:
            mean = (decay * total + begun[day]) / known
            size[day] = max(mean, np.finfo(np.float64).tiny)
    return size[:, None]


def _begun(errors: FloatArray, past: Past) -> tuple[FloatArray, FloatArray]:
    """Sum and number of errors of the day in which each cut falls, shape (n_days,).

    Made at noon, a forecast knows the errors of the morning: half a day later than
    one made at midnight, not one and a half.
    """
    rows = past.complete_rows
    there = rows < len(errors)
    rows = np.minimum(rows, len(errors) - 1)
    over = past.calendar.ends_us[rows] <= past.cuts_us[:, None]
    known = over & there[:, None] & np.isfinite(errors[rows])
    return _sums(errors[rows], known)


def _sums(
    errors: FloatArray, known: npt.NDArray[np.bool_]
) -> tuple[FloatArray, FloatArray]:
    """Sum of absolute errors and their number in each row, shape (n_days,) each."""
    total = np.where(known, np.abs(errors), 0.0).sum(axis=1)
    return total, known.sum(axis=1).astype(np.float64)


def _pooled(relative: FloatArray) -> FloatArray:
    """Errors of each hour and its neighbours, shape (n_days, n_pooled, n_columns)."""
    n_columns = relative.shape[1]
    reach = round(POOLED_HOURS * n_columns / 24)
    step = max(reach, 1)
    moves = range(-reach, reach + 1, step) if reach else (0,)
    return np.stack([np.roll(relative, move, axis=1) for move in moves], axis=1)

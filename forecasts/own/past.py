"""What was measured, as a table of days, and what of it was known when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from forecasts.own.calendar import Calendar
from forecasts.provider import Int64Array
from forecasts.series import FloatArray

_T = TypeVar("_T", np.float64, np.int64)

FARTHEST_LAG = 15
"""Days back in which a known value of the same hour is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Past:
    """Actual values of many days, each day to be forecast from what came before.

    A forecaster makes all days in one pass: the last row is the forecast that is
    wanted, the others are what it would have said then, from which its errors are
    known. Row ``j`` may depend only on cells that had ended by ``cuts_us[j]``; a
    test changes all later ones and compares.

    Parameters
    ----------
    calendar
        What the cells are.
    actual
        Mean of each cell, shape (n_days, n_columns); NaN where nothing is known.
        [unit of the series]
    cuts_us
        Up to when values were known as each day was forecast, shape (n_days,),
        equally long before the start of each day. [µs since 1970 UTC]
    """

    calendar: Calendar
    actual: FloatArray
    cuts_us: Int64Array

    def __post_init__(self) -> None:
        if self.actual.shape != self.calendar.shape:
            raise ValueError("actual values and calendar differ in shape")

    @property
    def complete_rows(self) -> Int64Array:
        """How many rows from the top had ended at each cut, shape (n_days,)."""
        return np.searchsorted(self.calendar.ends_us[:, -1], self.cuts_us, "right")


def before(table: npt.NDArray[_T], days: int) -> npt.NDArray[_T]:
    """Table moved down by some rows, so that each row shows an earlier one."""
    moved = np.empty_like(table)
    moved[days:] = table[: len(table) - days]
    moved[:days] = np.nan if table.dtype.kind == "f" else np.iinfo(np.int64).max
    return moved


def newest_known(past: Past, *, nth: int = 1, stride: int = 1) -> FloatArray:
    """Newest value of the same hour that was known, for every cell of every day.

    Parameters
    ----------
    past
        Actual values and what was known when.
    nth
        1 for the newest, 2 for the one before that, and so on.
    stride
        Distance of the days that count: 7 looks at the same weekday only.

    Returns
    -------
    ndarray, shape (n_days, n_columns)
        NaN where nothing was known within ``FARTHEST_LAG`` days.
    """
    found = np.full(past.calendar.shape, np.nan)
    left = np.full(past.calendar.shape, nth)
    cuts = past.cuts_us[:, None]
    lags = range(stride, min(FARTHEST_LAG, len(found) - 1) + 1, stride)
    for lag in lags:
        values = before(past.actual, lag)
        known = np.isfinite(values) & (before(past.calendar.ends_us, lag) <= cuts)
        left -= known
        take = known & (left == 0)
        found[take] = values[take]
        if (left <= 0).all():
            break
    return found


def latest_level(past: Past, *, hours: float) -> FloatArray:
    """Mean of what was known of the last hours before each cut, shape (n_days,)."""
    ends = np.maximum.accumulate(past.calendar.ends_us.ravel())
    values = past.actual.ravel()
    known = np.isfinite(values)
    sums = np.append(0.0, np.cumsum(np.where(known, values, 0.0)))
    counts = np.append(0, np.cumsum(known))
    until = np.searchsorted(ends, past.cuts_us, "right")
    since = np.searchsorted(ends, past.cuts_us - round(hours * 3.6e9), "right")
    n = counts[until] - counts[since]
    level = np.full(len(n), np.nan)
    np.divide(sums[until] - sums[since], n, out=level, where=n > 0)
    return level

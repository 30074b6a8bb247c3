"""Instants as cells of a table: a row for each local day, a column for each hour."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from forecasts.provider import Int64Array
from forecasts.series import FloatArray
from inputs.timegrid import from_us, local_midnight, to_us

DAY_US = 86_400_000_000
_HALF_HOUR_US = DAY_US // 48
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Calendar:
    """Local days of a place as rows, steps of the clock on the wall as columns.

    "The same hour yesterday" is the cell above, on every day of the year. The hour
    that a spring day skips is a cell without instants; the hour that an autumn day
    has twice is one cell with two.

    Parameters
    ----------
    timezone
        IANA name of the zone whose clock is meant.
    first
        Ordinal of the first local day.
    step_us
        Length of a cell; divides a day. [µs]
    starts_us
        First instant of each day, shape (n_days,). [µs since 1970 UTC]
    ends_us
        When each cell is over, shape (n_days, n_columns): for a doubled hour the
        second time, for a skipped one when it would have been. [µs since 1970 UTC]
    """

    timezone: str
    first: int
    step_us: int
    starts_us: Int64Array
    ends_us: Int64Array

    @property
    def shape(self) -> tuple[int, int]:
        """Number of days and of columns."""
        return len(self.starts_us), DAY_US // self.step_us

    @property
    def weekdays(self) -> Int64Array:
        """0 for Monday to 6 for Sunday, shape (n_days,)."""
        return (self.first + np.arange(len(self.starts_us)) - 1) % 7

    def until(self, n_days: int) -> Calendar:
        """The first days of it alone."""
        return replace(
            self, starts_us=self.starts_us[:n_days], ends_us=self.ends_us[:n_days]
        )

    def row_of(self, day: date) -> int:
        """Row of a local date; may lie outside the table."""
        return day.toordinal() - self.first

    def cells(self, times_us: Int64Array) -> Int64Array:
        """Flat index of the cell of each instant, -1 outside the table; shape (n,)."""
        local = local_us(times_us, self.timezone)
        rows = local // DAY_US + _EPOCH_ORDINAL - self.first
        columns = local % DAY_US // self.step_us
        n_days, n_columns = self.shape
        inside = (rows >= 0) & (rows < n_days)
        return np.where(inside, rows * n_columns + columns, -1)

    def table(self, times_us: Int64Array, values: FloatArray) -> FloatArray:
        """Mean of the known values in each cell, shape (n_days, n_columns).

        Parameters
        ----------
        times_us
            Instants, shape (n,). [µs since 1970 UTC]
        values
            Shape (n,); NaN is not counted.

        Returns
        -------
        ndarray
            NaN where nothing is known.
        """
        cells = self.cells(times_us)
        known = (cells >= 0) & np.isfinite(values)
        size = int(np.prod(self.shape))
        sums = np.bincount(cells[known], values[known], minlength=size)
        counts = np.bincount(cells[known], minlength=size)
        means = np.full(size, np.nan)
        np.divide(sums, counts, out=means, where=counts > 0)
        return means.reshape(self.shape)


def calendar_of(first: date, last: date, *, timezone: str, step_us: int) -> Calendar:
    """Calendar of the local days from ``first`` to ``last``, both included."""
    days = [first + timedelta(days=i) for i in range((last - first).days + 1)]
    starts = np.array([to_us(local_midnight(d, timezone)) for d in days], np.int64)
    after = to_us(local_midnight(last + timedelta(days=1), timezone))
    wall = np.arange(0, DAY_US, step_us, dtype=np.int64) + step_us
    # exact where the day has 24 hours; elsewhere the cells' own instants say it
    ends = starts[:, None] + wall
    calendar = Calendar(
        timezone=timezone,
        first=first.toordinal(),
        step_us=step_us,
        starts_us=starts,
        ends_us=ends,
    )
    for row in np.flatnonzero(np.diff(np.append(starts, after)) != DAY_US):
        until = starts[row + 1] if row + 1 < len(starts) else after
        _mend_row(calendar, int(row), int(until))
    ends.setflags(write=False)
    return calendar


def local_us(times_us: Int64Array, timezone: str) -> Int64Array:
    """What the clock on the wall shows at each instant, as if that were UTC. [µs]"""
    zone = ZoneInfo(timezone)
    # no zone changes its clock within half an hour of another change
    halves, back = np.unique(times_us // _HALF_HOUR_US, return_inverse=True)
    offsets = [_offset_us(int(half) * _HALF_HOUR_US, zone) for half in halves]
    return times_us + np.array(offsets, dtype=np.int64)[back]


def local_date(at_us: int, timezone: str) -> date:
    """Local date of an instant."""
    return from_us(at_us).astimezone(ZoneInfo(timezone)).date()


def _offset_us(at_us: int, zone: ZoneInfo) -> int:
    at: datetime = from_us(at_us).astimezone(zone)
    shown = at.replace(tzinfo=UTC)
    return to_us(shown) - at_us


def _mend_row(calendar: Calendar, row: int, until_us: int) -> None:
    """Write into one row when its cells are really over."""
    start = int(calendar.starts_us[row])
    instants = np.arange(start, until_us, calendar.step_us, dtype=np.int64)
    columns = calendar.cells(instants) - row * calendar.shape[1]
    ends = np.zeros(calendar.shape[1], dtype=np.int64)
    np.maximum.at(ends, columns, instants + calendar.step_us)
    # a skipped cell is over with the one before it
    calendar.ends_us[row] = np.maximum.accumulate(np.maximum(ends, start))

"""From a record and a request to a table of days to be forecast, and back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np

from forecasts.errors import ForecastUnavailableError
from forecasts.own.calendar import Calendar, calendar_of, local_date, local_us
from forecasts.own.past import FARTHEST_LAG, Past
from forecasts.own.record import Record, known_at, on_cells
from forecasts.provider import ForecastRequest, Int64Array
from forecasts.series import FloatArray
from forecasts.typical_profiles import profile_of
from inputs.timegrid import from_us, to_us

SPAN = timedelta(days=400)
"""How far back anything is learnt from: a year and the season around its end."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Task:
    """One place's past up to now, and the days that are to be forecast.

    Parameters
    ----------
    calendar
        Days from the first that is learnt from to the last that is wanted.
    actual
        What was known at ``known_until_us``, on the calendar.
    known_until_us
        End of the last known value. [µs since 1970 UTC]
    late_us
        How much later than the calendar's cells the source's intervals end. [µs]
    rows
        Rows of the days that are wanted.
    times_us
        Starts of the cells that cover the horizon, shape (n,). [µs since 1970 UTC]
    """

    calendar: Calendar
    actual: FloatArray
    known_until_us: int
    late_us: int
    rows: range
    times_us: Int64Array

    def past(self, row: int) -> Past:
        """Table whose last row is a wanted day, with as long a lead on each day."""
        calendar = self.calendar.until(row + 1)
        known_us = self.known_until_us - self.late_us
        lead_us = int(calendar.starts_us[row]) - known_us
        return Past(
            calendar=calendar,
            actual=self.actual[: row + 1],
            cuts_us=calendar.starts_us - lead_us,
        )

    def issue_cuts_us(self, past: Past, now: datetime) -> Int64Array:
        """As long before each day as ``now`` is before the last, shape (n_days,)."""
        starts = past.calendar.starts_us
        return starts - (int(starts[-1]) - to_us(now))

    def on_horizon(self, rows: dict[int, FloatArray]) -> FloatArray:
        """Values of the cells that cover the horizon, from forecasts of its days."""
        table = np.full(self.calendar.shape, np.nan)
        for row, values in rows.items():
            table[row] = values
        flat: FloatArray = table.ravel()[self.calendar.cells(self.times_us)]
        return flat

    @property
    def measured(self) -> FloatArray:
        """What is known already of the horizon, shape (n,); NaN elsewhere."""
        over = self.times_us + self.calendar.step_us <= self.known_until_us
        cells = self.calendar.cells(self.times_us)
        return np.where(over, self.actual.ravel()[cells], np.nan)


def task_of(
    record: Record,
    request: ForecastRequest,
    *,
    timezone: str | None = None,
    span: timedelta = SPAN,
) -> Task:
    """Table of days for a request, from nothing that was unknown at ``request.now``.

    Parameters
    ----------
    record
        What was measured.
    request
        Horizon, region and clock.
    timezone
        Whose clock makes days and hours; by default that of the region's grid.
    span
        How far back anything is learnt from.

    Raises
    ------
    ForecastUnavailableError
        If nothing is known of the days before the horizon.
    """
    grid, cell_us = request.grid, record.cell_us
    known = on_cells(known_at(record, request.now), cell_us)
    if not len(known.starts_us) or known.ends_us.max() < _earliest_us(request):
        raise _nothing_known(known, request)
    timezone = timezone or timezone_of(request)
    first_us = max(int(known.starts_us[0]), grid.start_us - span // _MICROSECOND)
    phase = int(known.starts_us[-1] % min(known.steps_us[-1], cell_us))
    first_cell = (grid.start_us - phase) // cell_us * cell_us + phase
    times = np.arange(first_cell, grid.end_us, cell_us, dtype=np.int64)
    first_day, last_day = (local_date(int(t), timezone) for t in (times[0], times[-1]))
    calendar = calendar_of(
        min(local_date(first_us, timezone), first_day), last_day,
        timezone=timezone, step_us=cell_us,
    )  # fmt: skip
    return Task(
        calendar=calendar,
        actual=calendar.table(known.starts_us, known.values),
        known_until_us=int(known.ends_us.max()),
        late_us=late_us(known, calendar),
        rows=_rows(calendar, first_day),
        times_us=times,
    )


def late_us(record: Record, calendar: Calendar) -> int:
    """How much later than cells the intervals end that were counted to them. [µs]

    Zero unless the source's steps begin between those of the clock on the wall.
    """
    last = record.starts_us[-1:]
    step_us = min(int(record.steps_us[-1]), calendar.step_us)
    return int(local_us(last, calendar.timezone)[0] % step_us)


def timezone_of(request: ForecastRequest) -> str:
    """Zone whose clock people of the grid live by, else that of the workspace."""
    profile = profile_of(request.region.zone)
    return (profile and profile.timezone) or request.grid.timezone


def _rows(calendar: Calendar, first_day: date) -> range:
    return range(calendar.row_of(first_day), calendar.shape[0])


def _earliest_us(request: ForecastRequest) -> int:
    return request.grid.start_us - timedelta(days=FARTHEST_LAG - 1) // _MICROSECOND


def _nothing_known(known: Record, request: ForecastRequest) -> ForecastUnavailableError:
    now = from_us(to_us(request.now)).isoformat(timespec="minutes")
    if not len(known.starts_us):
        return ForecastUnavailableError(f"the history has no value before {now}")
    last = from_us(int(known.ends_us.max())).isoformat(timespec="minutes")
    return ForecastUnavailableError(
        f"the history ends at {last}, more than {FARTHEST_LAG - 1} days before "
        f"{request.grid.date}"
    )


_MICROSECOND = timedelta(microseconds=1)

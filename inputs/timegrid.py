"""The planning horizon as equal slots of elapsed time, anchored at local midnight."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

SLOT_MINUTES = (5, 10, 15, 20, 30, 60)
MAX_HORIZON_HOURS = 168
YEARS = range(1970, 2200)
"""Years of dates that can be planned."""

Int64Array = npt.NDArray[np.int64]

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Microseconds since 1970 UTC of an aware instant, without rounding."""
    return (instant - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Aware UTC instant of a number of microseconds since 1970."""
    return _EPOCH + int(us) * _MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeGrid:
    """Half-open slots of equal elapsed length from one local midnight on.

    Parameters
    ----------
    date
        The planned local date; the first slot starts at its first instant.
    timezone
        IANA name of the zone whose midnight is meant.
    start
        Start of the first slot, aware UTC.
    step
        Length of every slot, elapsed time.
    n_slots
        Number of slots: a local day of 15-minute slots has 92, 96 or 100.
    """

    date: date
    timezone: str
    start: datetime
    step: timedelta
    n_slots: int

    @property
    def end(self) -> datetime:
        """End of the last slot, aware UTC."""
        return self.start + self.n_slots * self.step

    @property
    def slot_hours(self) -> float:
        """Length of a slot. [h]"""
        return self.step / timedelta(hours=1)

    @property
    def start_us(self) -> int:
        """Start of the first slot. [µs since 1970 UTC]"""
        return to_us(self.start)

    @property
    def step_us(self) -> int:
        """Length of a slot. [µs]"""
        return self.step // _MICROSECOND

    @property
    def end_us(self) -> int:
        """End of the last slot. [µs since 1970 UTC]"""
        return self.start_us + self.n_slots * self.step_us

    def starts_us(self) -> Int64Array:
        """Slot starts, shape (n_slots,). [µs since 1970 UTC]"""
        return self.start_us + self.step_us * np.arange(self.n_slots, dtype=np.int64)

    def slot_start(self, slot: int) -> datetime:
        """Start of a slot, aware UTC; ``slot`` may equal ``n_slots`` (the end)."""
        return self.start + slot * self.step

    def local_days(self) -> Int64Array:
        """Index of the local day in which each slot starts, shape (n_slots,)."""
        zone = ZoneInfo(self.timezone)
        ordinals = [
            self.slot_start(slot).astimezone(zone).toordinal()
            for slot in range(self.n_slots)
        ]
        return np.asarray(ordinals, dtype=np.int64) - self.date.toordinal()


def local_midnight(day: date, timezone: str) -> datetime:
    """First instant of a local date, aware UTC.

    Where the clocks skip midnight, the date begins at the first time that exists.
    """
    naive = datetime(day.year, day.month, day.day)  # noqa: DTZ001  zone follows
    return naive.replace(tzinfo=ZoneInfo(timezone)).astimezone(UTC)


def day_grid(
    day: date, *, timezone: str, slot_minutes: int, horizon_hours: int = 24
) -> TimeGrid:
    """Grid of a local date.

    Every full 24 hours of the horizon mean one local day of 23, 24 or 25 hours;
    what is left over is elapsed time. A slot that would reach past the end of the
    horizon (possible where clocks change by half an hour) is left out.

    Parameters
    ----------
    day
        The planned local date.
    timezone
        IANA name.
    slot_minutes
        One of ``SLOT_MINUTES``.
    horizon_hours
        1 to ``MAX_HORIZON_HOURS``.

    Raises
    ------
    ValueError
        If a number or the date's year lies outside the ranges above (checked before
        memory is taken), or the zone skipped the date as a whole.
    """
    if slot_minutes not in SLOT_MINUTES:
        raise ValueError(f"slot_minutes {slot_minutes} is not one of {SLOT_MINUTES}")
    if not 1 <= horizon_hours <= MAX_HORIZON_HOURS:
        raise ValueError(
            f"horizon_hours {horizon_hours} is not in 1 … {MAX_HORIZON_HOURS}"
        )
    _require_plannable(day, timezone)
    days, hours = divmod(horizon_hours, 24)
    start = local_midnight(day, timezone)
    end = local_midnight(day + timedelta(days=days), timezone) + timedelta(hours=hours)
    step = timedelta(minutes=slot_minutes)
    return TimeGrid(
        date=day,
        timezone=timezone,
        start=start,
        step=step,
        n_slots=(end - start) // step,
    )


def resolve_date(text: str, *, now: datetime, timezone: str) -> date:
    """Local date meant by ``today``, ``tomorrow`` or ``YYYY-MM-DD``.

    Parameters
    ----------
    text
        What the user typed.
    now
        The clock, aware; decides together with ``timezone`` what today is.
    timezone
        IANA name of the workspace's zone, not the host's.

    Raises
    ------
    ValueError
        If the text is none of the three forms, or the date cannot be planned: no
        calendar has it, the zone skipped it, or its year is out of range.
    """
    today = now.astimezone(ZoneInfo(timezone)).date()
    if text == "today":
        return today
    if text == "tomorrow":
        return today + timedelta(days=1)
    if not _ISO_DATE.fullmatch(text):  # fromisoformat takes weeks as well
        raise ValueError(f"date {text!r} is not today, tomorrow or YYYY-MM-DD")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"date {text} is in no calendar") from None
    _require_plannable(day, timezone)
    return day


def _require_plannable(day: date, timezone: str) -> None:
    if day.year not in YEARS:
        raise ValueError(f"date {day} is not in {YEARS[0]} … {YEARS[-1]}")
    midnight = local_midnight(day, timezone)
    if local_midnight(day + timedelta(days=1), timezone) <= midnight:
        raise ValueError(f"date {day} does not exist in {timezone}")

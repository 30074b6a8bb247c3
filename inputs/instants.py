"""Instants as people write them: with an offset, or a clock time of the planned date.

A clock time that the local day skips or repeats is refused, because only an offset
can say what is meant; ``00:00`` and ``24:00`` always mean the bounds of the day.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from inputs.findings import Unreadable
from inputs.timegrid import TimeGrid, local_midnight, to_us

EXPECTED = 'an instant with an offset such as 2026-11-22T06:30+01:00, or "HH:MM"'

_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::00)?", re.ASCII)
_LONGEST = 40
FIRST_US, LAST_US = (
    to_us(datetime(1970, 1, 1, tzinfo=UTC)),
    to_us(datetime(2200, 1, 1, tzinfo=UTC)),
)


def parse_instant(value: object, grid: TimeGrid) -> int:
    """Microseconds since 1970 UTC of an instant on or around the planned date.

    Parameters
    ----------
    value
        ISO 8601 text or a datetime, both with an offset; or "HH:MM" (or a time of
        day) of the planned local date, "24:00" being the next midnight.
    grid
        Gives the planned date and its zone.

    Raises
    ------
    Unreadable
        If it is none of these, lies outside 1970 … 2199, or is a clock time that
        does not mean one instant.
    """
    if isinstance(value, time) and value.tzinfo is None:
        value = value.isoformat()
    if isinstance(value, datetime):
        return _absolute(value)
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise Unreadable(EXPECTED)
    text = value.strip()
    if match := _CLOCK.fullmatch(text):
        return _clock(int(match[1]), int(match[2]), grid)
    try:
        return _absolute(datetime.fromisoformat(text))
    except Unreadable:
        raise
    except (ValueError, OverflowError):
        raise Unreadable(EXPECTED) from None


def _absolute(instant: datetime) -> int:
    if instant.tzinfo is None:
        raise Unreadable(EXPECTED, "without an offset it could mean any zone")
    us = to_us(instant)
    if not FIRST_US <= us < LAST_US:
        raise Unreadable("an instant between 1970 and 2199")
    return us


def _clock(hour: int, minute: int, grid: TimeGrid) -> int:
    if (hour, minute) == (24, 0):
        return to_us(local_midnight(grid.date + timedelta(days=1), grid.timezone))
    if hour > 23 or minute > 59:
        raise Unreadable('a clock time from "00:00" to "24:00"')
    if (hour, minute) == (0, 0):
        return grid.start_us
    zone = ZoneInfo(grid.timezone)
    local = datetime.combine(grid.date, time(hour, minute), tzinfo=zone)
    first, second = (local.replace(fold=f).astimezone(UTC) for f in (0, 1))
    if first != second:
        raise Unreadable(
            "a clock time that happens once on that day",
            _doubt(local, first, second),
        )
    return to_us(first)


def _doubt(local: datetime, first: datetime, second: datetime) -> str:
    zone = local.tzinfo
    written = local.replace(tzinfo=None)
    day = f"{written:%Y-%m-%d}"
    if first.astimezone(zone).replace(tzinfo=None) != written:
        skipped = f"{written:%H:%M} is skipped on {day} in {zone}"
        return f"{skipped}; write the instant with its offset"
    forms = " or ".join(
        x.astimezone(zone).isoformat(timespec="minutes") for x in (first, second)
    )
    return f"{written:%H:%M} happens twice on {day} in {zone}; write {forms}"

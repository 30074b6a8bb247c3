"""Instants at which the limits of services begin anew, all in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def next_hour(now: datetime) -> datetime:
    """Start of the next full hour."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour + timedelta(hours=1)


def next_midnight(now: datetime) -> datetime:
    """Next midnight in UTC.

    Examples
    --------
    >>> next_midnight(datetime(2026, 11, 21, 18, tzinfo=UTC)).isoformat()
    '2026-11-22T00:00:00+00:00'
    """
    return next_hour(now.astimezone(UTC).replace(hour=23))

"""Instants as the ledger stores them: whole microseconds since 1970 UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """Microseconds since 1970 UTC of an aware instant, without rounding."""
    return (instant - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Aware UTC instant of a number of microseconds since 1970."""
    return _EPOCH + us * _MICROSECOND


def span_us(length: timedelta) -> int:
    """Length of time in whole microseconds."""
    return length // _MICROSECOND

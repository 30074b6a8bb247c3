"""Pieces that response models of services share, and their way into arrays."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import numpy as np
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from forecasts.provider import Int64Array
from forecasts.series import FloatArray
from inputs.timegrid import to_us

MAX_POINTS = 20_000
"""Longest series that is read: a week of minutes is half of it."""

MICROSECOND = timedelta(microseconds=1)
_TIMESPAN = re.compile(r"(?:(\d{1,4})\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.\d+)?")

Instant = Annotated[AwareDatetime, Field(ge=datetime(1970, 1, 1, tzinfo=UTC))]
Number = Annotated[float, Field(allow_inf_nan=False)]
Second = Annotated[int, Field(ge=0, le=7_258_118_400)]
"""Unix time, to the year 2200. [s]"""


class Shape(BaseModel):
    """What is read of an answer; services may add fields as they like."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def stamps_us(instants: Iterable[datetime]) -> Int64Array:
    """Time stamps of points. [µs since 1970 UTC]"""
    return np.array([to_us(instant) for instant in instants], dtype=np.int64)


def values_of(values: Iterable[float | None]) -> FloatArray:
    """Values of points, NaN where a service sent nothing."""
    return np.array([np.nan if v is None else v for v in values], dtype=np.float64)


def steps_us(count: int, step: timedelta | None) -> Int64Array | None:
    """Equal lengths of all intervals; None where the step is not known. [µs]"""
    if step is None or step <= timedelta(0):
        return None
    return np.full(count, step // MICROSECOND, dtype=np.int64)


def parse_timespan(value: Any) -> Any:
    """Length of time as .NET writes it, ``[d.]hh:mm:ss``; others as they are.

    Examples
    --------
    >>> parse_timespan("1.00:30:00")
    datetime.timedelta(days=1, seconds=1800)
    """
    match = _TIMESPAN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    days, hours, minutes, seconds = (int(group or 0) for group in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)

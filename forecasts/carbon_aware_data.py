"""The Carbon Aware SDK's own form of measured values, in files and from its web API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import AliasChoices, BeforeValidator, Field

from forecasts.answer_shapes import (
    MAX_POINTS,
    MICROSECOND,
    Instant,
    Number,
    Shape,
    parse_timespan,
    stamps_us,
    values_of,
)
from forecasts.errors import (
    ForecastFormatError,
    ForecastIncompleteError,
    ForecastUnavailableError,
)
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import one_line
from forecasts.provider import Int64Array, Observations
from forecasts.series import Series, Signal
from inputs.errors import Finding

NAME = "carbon_aware_sdk"
MAX_FILE_POINTS = 500_000


class _Emission(Shape):
    location: str | None = Field(
        None, validation_alias=AliasChoices("Location", "location")
    )
    at: datetime = Field(validation_alias=AliasChoices("Time", "time"))
    rating: Number | None = Field(validation_alias=AliasChoices("Rating", "rating"))
    duration: Annotated[
        timedelta, BeforeValidator(parse_timespan), Field(ge=timedelta(0))
    ] = Field(timedelta(0), validation_alias=AliasChoices("Duration", "duration"))


class _File(Shape):
    generated_at: Instant | None = Field(None, validation_alias="GeneratedAt")
    emissions: Annotated[tuple[_Emission, ...], Field(max_length=MAX_FILE_POINTS)] = (
        Field(validation_alias=AliasChoices("Emissions", "emissions"))
    )


def parse_file(
    data: bytes, *, zone: str, signal: Signal, timezone: str | None
) -> Observations:
    """Read a data file: starts, lengths, g/kWh.

    Parameters
    ----------
    data
        All of the file.
    zone
        Location whose rows are meant; rows without one are of every location.
    signal
        What the values count, which the file does not say.
    timezone
        What times without an offset mean; None refuses them.

    Raises
    ------
    ForecastError
        If it cannot be read, or has nothing about the location.
    """
    source = f"{NAME} data_file"
    file = read_model(_File, read_json(data, source=source), source=source)
    rows = [row for row in file.emissions if row.location in (None, zone)]
    if not rows:
        known = sorted({row.location for row in file.emissions if row.location})[:8]
        raise ForecastUnavailableError(
            f"the file has nothing about {zone!r}; it has {', '.join(known) or 'none'}"
        )
    read = _observations(rows, zone=zone, signal=signal, timezone=timezone)
    return replace(read, issued_at=file.generated_at)


def _aware(instant: datetime, timezone: str | None) -> datetime:
    if instant.tzinfo is not None:
        return instant
    if timezone is None:
        finding = Finding(
            path=f"{NAME} data_file",
            field="Time",
            found=instant.isoformat(),
            expected="a time with an offset",
            hint='or the setting file_timezone, for example "UTC"',
        )
        raise ForecastFormatError([finding])
    return instant.replace(tzinfo=ZoneInfo(timezone))


class _Told(Shape):
    emissions: Annotated[
        tuple[_Emission, ...], Field(min_length=1, max_length=MAX_POINTS)
    ]


def parse_measured(body: bytes, *, zone: str, signal: Signal) -> Observations:
    """Read what the web API says of the past: starts, lengths, g/kWh.

    Parameters
    ----------
    body
        As sent; empty where it knows nothing.
    zone
        Location asked for. Rows may name it, or the grid of the SDK's own source.
    signal
        What the values count, which the answer does not say.

    Raises
    ------
    ForecastError
        If it cannot be read, is empty, or about several places.
    """
    read = {"emissions": read_json(body, source=NAME)}
    rows = read_model(_Told, read, source=NAME).emissions
    places = sorted({one_line(row.location or zone) for row in rows})
    if len(places) > 1:
        raise ForecastIncompleteError(
            f"the answer is about {', '.join(places[:8])}, asked for was {zone!r}"
        )
    return _observations(rows, zone=zone, signal=signal, timezone=None)


def _observations(
    rows: Sequence[_Emission], *, zone: str, signal: Signal, timezone: str | None
) -> Observations:
    return Observations(
        series=Series.CARBON,
        place=zone,
        times_us=stamps_us(_aware(row.at, timezone) for row in rows),
        steps_us=lengths_us([row.duration for row in rows]),
        values=values_of(row.rating for row in rows),
        unit="g/kWh",
        signal=signal,
    )


def lengths_us(lengths: list[timedelta]) -> Int64Array | None:
    """Lengths of intervals; None where the source says 0, which means nothing."""
    if any(length <= timedelta(0) for length in lengths):
        return None
    return np.array([length // MICROSECOND for length in lengths], dtype=np.int64)

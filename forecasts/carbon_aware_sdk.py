"""Carbon Aware SDK of the Green Software Foundation: its web API and its data file.

The parts of both that are used are described in docs/providers/carbon_aware_sdk.md.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Self
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import AliasChoices, BeforeValidator, Field, model_validator

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
    ForecastUnavailableError,
)
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpRequest
from forecasts.live import BaseUrl, LiveOptions, LiveProvider, zone_of
from forecasts.provider import ForecastRequest, Int64Array, Observations
from forecasts.question import Question
from forecasts.series import Series, Signal
from inputs.errors import Finding
from inputs.files import read_one
from inputs.findings import Unreadable

NAME = "carbon_aware_sdk"
MAX_FILE_BYTES = 64 << 20
MAX_FILE_POINTS = 500_000


class CarbonAwareSdkOptions(LiveOptions):
    """Keys of ``[forecasts.carbon]`` for this provider.

    Parameters
    ----------
    signal
        What the SDK's own source counts: WattTime is marginal, Electricity Maps is
        average. The SDK does not say, so there is no default.
    data_file
        A file in the format of its JSON source, relative to the workspace, instead
        of the web API.
    file_timezone
        What times without an offset mean in that file; without this they are
        refused.
    """

    base_url: BaseUrl = "http://localhost:8080"
    signal: Annotated[Signal, Field(strict=False)]
    data_file: str | None = None
    file_timezone: str | None = None

    @model_validator(mode="after")
    def _known_timezone(self) -> Self:
        if self.file_timezone is not None:
            try:
                ZoneInfo(self.file_timezone)
            except (OSError, ValueError, KeyError):
                raise ValueError("file_timezone: an IANA time zone name") from None
        return self


class CarbonAwareSdk(LiveProvider[CarbonAwareSdkOptions]):
    """Asks a running web API, or reads a data file."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON})
    Options: ClassVar[type[CarbonAwareSdkOptions]] = CarbonAwareSdkOptions

    def fetch(self, request: ForecastRequest) -> Observations:
        """All points of the current forecast, or the file's points of the location."""
        if self.options.data_file is None:
            return super().fetch(request)
        return self._from_file(self.options.data_file, request, self._zone(request))

    def question(self, request: ForecastRequest) -> Question:
        """The current forecast of a location."""
        zone, signal = self._zone(request), self.options.signal
        return Question(
            zone=zone,
            http=http_request(self.options, zone=zone),
            parse=lambda body, _: parse(body, signal=signal),
        )

    def _zone(self, request: ForecastRequest) -> str:
        return zone_of(
            request, self.options.zones,
            pattern=r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}",
            known="locations such as eastus",
        )  # fmt: skip

    def _from_file(
        self, name: str, request: ForecastRequest, zone: str
    ) -> Observations:
        try:
            content = read_one(request.root / name, MAX_FILE_BYTES)
        except Unreadable as error:
            told = f"found {error.found}, expected {error.expected}"
            reason = told if error.hint is None else f"{told}; {error.hint}"
            raise ForecastUnavailableError(f"{name}: {reason}") from error
        options = self.options
        timezone = options.file_timezone
        read = parse_file(
            content.data, zone=zone, signal=options.signal, timezone=timezone
        )
        files = ((name, content.sha256),)
        return replace(read, place=request.region.name, files=files)


def http_request(options: CarbonAwareSdkOptions, *, zone: str) -> HttpRequest:
    """Request for the whole current forecast of a location.

    Without a window: the SDK would answer with rolling means over it.
    """
    return HttpRequest(
        url=f"{options.base_url}/emissions/forecasts/current",
        params={"location": zone},
    )


class _Point(Shape):
    at: Instant = Field(validation_alias="timestamp")
    minutes: Annotated[float, Field(ge=0, le=1440)] = Field(
        0.0, validation_alias="duration"
    )
    value: Number | None = None


class _Forecast(Shape):
    location: str
    generated_at: Instant | None = Field(None, validation_alias="generatedAt")
    points: Annotated[tuple[_Point, ...], Field(max_length=MAX_POINTS)] = Field(
        (), validation_alias="forecastData"
    )


class _Answer(Shape):
    forecasts: Annotated[tuple[_Forecast, ...], Field(min_length=1, max_length=1)]


def parse(body: bytes, *, signal: Signal) -> Observations:
    """Read an answer of the web API: starts, minutes, g/kWh.

    Parameters
    ----------
    body
        As sent.
    signal
        What the values count, which the answer does not say.

    Raises
    ------
    ForecastError
        If it cannot be read, or is empty.
    """
    read = {"forecasts": read_json(body, source=NAME)}
    (forecast,) = read_model(_Answer, read, source=NAME).forecasts
    if not forecast.points:
        raise ForecastUnavailableError(f"no forecast for {forecast.location}")
    lengths = [timedelta(minutes=point.minutes) for point in forecast.points]
    return Observations(
        series=Series.CARBON,
        place=forecast.location,
        times_us=stamps_us(point.at for point in forecast.points),
        steps_us=_steps_us(lengths),
        values=values_of(point.value for point in forecast.points),
        unit="g/kWh",
        signal=signal,
        issued_at=forecast.generated_at,
    )


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
    return Observations(
        series=Series.CARBON,
        place=zone,
        times_us=stamps_us(_aware(row.at, timezone) for row in rows),
        steps_us=_steps_us([row.duration for row in rows]),
        values=values_of(row.rating for row in rows),
        unit="g/kWh",
        signal=signal,
        issued_at=file.generated_at,
    )


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


def _steps_us(lengths: list[timedelta]) -> Int64Array | None:
    """Lengths of intervals; None where the source says 0, which means nothing."""
    if any(length <= timedelta(0) for length in lengths):
        return None
    return np.array([length // MICROSECOND for length in lengths], dtype=np.int64)

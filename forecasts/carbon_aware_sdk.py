"""Carbon Aware SDK of the Green Software Foundation: its web API and its data file.

The parts of both that are used are described in docs/providers/carbon_aware_sdk.md.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path
from typing import Annotated, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import Field, model_validator

from forecasts.answer_shapes import (
    MAX_POINTS,
    Instant,
    Number,
    Shape,
    stamps_us,
    values_of,
)
from forecasts.carbon_aware_data import NAME, lengths_us, parse_file, parse_measured
from forecasts.errors import ForecastUnavailableError
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpAnswer, HttpRequest
from forecasts.live import BaseUrl, LiveOptions, LiveProvider, zone_of
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Question
from forecasts.series import Series, Signal
from inputs.files import Content, read_one
from inputs.findings import Unreadable
from inputs.timegrid import TimeGrid

MAX_FILE_BYTES = 64 << 20


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
    measured_span: ClassVar[timedelta] = timedelta(days=10)

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

    def measured(self, request: ForecastRequest) -> Question:
        """What the SDK's source measured; or the rows of the file, which are that."""
        zone, options = self._zone(request), self.options
        name, signal = options.data_file, options.signal
        if name is None:
            return Question(
                zone=zone,
                http=measured_request(options, zone=zone, grid=request.grid),
                parse=lambda body, _: parse_measured(body, zone=zone, signal=signal),
            )
        path = request.root / name
        return Question(
            zone=zone,
            http=HttpRequest(url=f"file:{name}"),
            parse=lambda body, _: self._parse_file(body, zone),
            send=lambda _: HttpAnswer(
                status=200, headers={}, body=_content(path, name).data
            ),
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
        content = _content(request.root / name, name)
        read = self._parse_file(content.data, zone)
        files = ((name, content.sha256),)
        return replace(read, place=request.region.name, files=files)

    def _parse_file(self, data: bytes, zone: str) -> Observations:
        options = self.options
        return parse_file(
            data, zone=zone, signal=options.signal, timezone=options.file_timezone
        )


def _content(path: Path, name: str) -> Content:
    try:
        return read_one(path, MAX_FILE_BYTES)
    except Unreadable as error:
        told = f"found {error.found}, expected {error.expected}"
        reason = told if error.hint is None else f"{told}; {error.hint}"
        raise ForecastUnavailableError(f"{name}: {reason}") from error


def http_request(options: CarbonAwareSdkOptions, *, zone: str) -> HttpRequest:
    """Request for the whole current forecast of a location.

    Without a window: the SDK would answer with rolling means over it.
    """
    return HttpRequest(
        url=f"{options.base_url}/emissions/forecasts/current",
        params={"location": zone},
    )


def measured_request(
    options: CarbonAwareSdkOptions, *, zone: str, grid: TimeGrid
) -> HttpRequest:
    """Request for what was measured at a location."""
    return HttpRequest(
        url=f"{options.base_url}/emissions/bylocation",
        params={
            "location": zone,
            "time": grid.start.astimezone(UTC).isoformat(),
            "toTime": grid.end.astimezone(UTC).isoformat(),
        },
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
        steps_us=lengths_us(lengths),
        values=values_of(point.value for point in forecast.points),
        unit="g/kWh",
        signal=signal,
        issued_at=forecast.generated_at,
    )

"""UK Carbon Intensity: average operational intensity of Great Britain or a part.

The parts of the API that are used are described in
docs/providers/uk_carbon_intensity.md.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field

from forecasts.answer_shapes import (
    MAX_POINTS,
    Instant,
    Number,
    Shape,
    stamps_us,
    values_of,
)
from forecasts.errors import ForecastUnavailableError
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpRequest, one_line
from forecasts.live import BaseUrl, LiveOptions, LiveProvider, zone_of
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Question
from forecasts.series import Series, Signal
from inputs.timegrid import TimeGrid

NAME = "uk_carbon_intensity"
COUNTRY = "GB"
NOTE = "emissions of operation alone, without the rest of the life cycle"


class UkCarbonIntensityOptions(LiveOptions):
    """Keys of ``[forecasts.carbon]`` for this provider."""

    base_url: BaseUrl = "https://api.carbonintensity.org.uk"


class UkCarbonIntensity(LiveProvider[UkCarbonIntensityOptions]):
    """Asks for the country (``GB``) or one of its regions (``GB-1`` … ``GB-17``)."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON})
    Options: ClassVar[type[UkCarbonIntensityOptions]] = UkCarbonIntensityOptions
    measured_span: ClassVar[timedelta] = timedelta(days=13)

    def question(self, request: ForecastRequest) -> Question:
        """Half-hours of the horizon, past ones as they were forecast."""
        zone = self._zone(request)
        return Question(
            zone=zone,
            http=http_request(self.options, zone=zone, grid=request.grid),
            parse=lambda body, _: parse(body, zone=zone),
        )

    def measured(self, request: ForecastRequest) -> Question | None:
        """Half-hours as they turned out, which is told of the whole country only."""
        if (zone := self._zone(request)) != COUNTRY:
            return None
        return Question(
            zone=zone,
            http=http_request(self.options, zone=zone, grid=request.grid),
            parse=lambda body, _: parse(body, zone=zone, measured=True),
        )

    def _zone(self, request: ForecastRequest) -> str:
        return zone_of(
            request, self.options.zones,
            pattern=r"GB(-([1-9]|1[0-7]))?", known="GB and GB-1 to GB-17",
        )  # fmt: skip


def http_request(
    options: UkCarbonIntensityOptions, *, zone: str, grid: TimeGrid
) -> HttpRequest:
    """Request for the half-hours of a horizon."""
    window = f"{_minute(grid.start)}/{_minute(grid.end)}"
    region = zone.removeprefix(COUNTRY).removeprefix("-")
    if not region:
        return HttpRequest(url=f"{options.base_url}/intensity/{window}")
    path = f"regional/intensity/{window}/regionid/{region}"
    return HttpRequest(url=f"{options.base_url}/{path}")


def _minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


class _Intensity(Shape):
    forecast: Number | None = None
    actual: Number | None = None

    def value(self, *, measured: bool) -> float | None:
        return self.actual if measured else self.forecast


class _Period(Shape):
    start: Instant = Field(validation_alias="from")
    end: Instant = Field(validation_alias="to")
    intensity: _Intensity


_Periods = Annotated[tuple[_Period, ...], Field(max_length=MAX_POINTS)]


class _Country(Shape):
    data: _Periods


class _Part(Shape):
    regionid: int
    data: _Periods = ()


def parse(body: bytes, *, zone: str, measured: bool = False) -> Observations:
    """Read an answer: half-hours with start and end, UTC, g/kWh.

    Parameters
    ----------
    body
        As sent; about a region it holds an object or a list of one.
    zone
        Asked for. An answer about the country does not name it.
    measured
        Whether values as they turned out are wanted, not as they were forecast.

    Raises
    ------
    ForecastError
        If it cannot be read, or is empty.
    """
    read = _without_error(read_json(body, source=NAME))
    if zone == COUNTRY:
        place, periods = COUNTRY, read_model(_Country, read, source=NAME).data
    else:
        part = read_model(_Part, _only_part(read), source=NAME)
        place, periods = f"{COUNTRY}-{part.regionid}", part.data
    if not periods:
        raise ForecastUnavailableError(f"no forecast for {zone} at that time")
    starts = stamps_us(period.start for period in periods)
    return Observations(
        series=Series.CARBON,
        place=place,
        times_us=starts,
        steps_us=np.maximum(stamps_us(period.end for period in periods) - starts, 1),
        values=values_of(
            period.intensity.value(measured=measured) for period in periods
        ),
        unit="g/kWh",
        signal=Signal.AVERAGE,
        notes=(NOTE,),
    )


def _without_error(read: Any) -> Any:
    error = read.get("error") if isinstance(read, dict) else None
    if error is None:
        return read
    said = error.get("message") if isinstance(error, dict) else error
    text = re.sub(r"[<>]", "", one_line(str(said)))
    raise ForecastUnavailableError(f"the service says: {text}")


def _only_part(read: Any) -> Any:
    """The one region of an answer, whether it stands in a list or not."""
    data = read.get("data") if isinstance(read, dict) else None
    if isinstance(data, list) and len(data) == 1:
        return data[0]
    if not data:
        raise ForecastUnavailableError("the answer holds no region")
    return data

"""Forecast.Solar: an array's energy by the service's own model.

The parts of the API that are used are described in docs/providers/forecast_solar.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import BeforeValidator, Field

from forecasts.answer_shapes import (
    MAX_POINTS,
    MICROSECOND,
    Instant,
    Number,
    Shape,
    stamps_us,
    values_of,
)
from forecasts.errors import (
    ForecastFormatError,
    ForecastIncompleteError,
    ForecastUnavailableError,
)
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpAnswer, HttpRequest
from forecasts.http.secret import HIDDEN, Secret, optional_from_environment
from forecasts.live import BaseUrl, LiveOptions, LiveProvider
from forecasts.nights import dark_gaps
from forecasts.provider import ForecastRequest, Observations, Stamp
from forecasts.question import Question
from forecasts.series import Series
from forecasts.solar_site import array_of, from_south, place_of, site_name
from inputs.settings import Duration, SolarArray

NAME = "forecast_solar"
KEY = "FORECAST_SOLAR_API_KEY"
LONGEST = timedelta(hours=1)
"""Coarsest step on offer; stamps farther apart have a night or a hole in between."""

REACH = timedelta(hours=20)


class ForecastSolarOptions(LiveOptions):
    """Keys of ``[forecasts.solar]`` for this provider."""

    base_url: BaseUrl = "https://api.forecast.solar"
    # without a key an address may ask twelve times an hour
    refresh: Annotated[Duration, Field(ge=timedelta(0))] = timedelta(minutes=30)


class ForecastSolar(LiveProvider[ForecastSolarOptions]):
    """Asks for one plane at a time."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.SOLAR})
    Options: ClassVar[type[ForecastSolarOptions]] = ForecastSolarOptions

    def question(self, request: ForecastRequest) -> Question:
        """Today and tomorrow, and further with a key that allows it."""
        array = array_of(request)
        key = optional_from_environment(request.environment, KEY)
        return Question(
            zone=request.region.name,
            shelf=site_name(request, array),
            http=http_request(self.options, array=array, key=key),
            parse=lambda body, _: parse(body, request=request),
        )


def http_request(
    options: ForecastSolarOptions, *, array: SolarArray, key: Secret | None
) -> HttpRequest:
    """Request for the estimate of a plane; a key stands in the path."""
    place = f"{array.latitude:.4f}/{array.longitude:.4f}"
    plane = f"{array.tilt:.0f}/{from_south(array.azimuth):.0f}/{array.kwp:g}"
    own = "" if key is None else f"/{HIDDEN}"
    return HttpRequest(
        url=f"{options.base_url}{own}/estimate/{place}/{plane}",
        # the usual local times are ambiguous in the hour that comes twice
        params={"time": "utc"},
        url_key=key,
        busy_until=busy_until,
    )


class _RateLimit(Shape):
    retry_at: Instant | None = Field(None, validation_alias="retry-at")


class _Said(Shape):
    ratelimit: _RateLimit = _RateLimit(retry_at=None)


class _Refusal(Shape):
    message: _Said


def busy_until(answer: HttpAnswer, now: datetime) -> datetime | None:
    """Instant from which a refusal allows asking again."""
    try:
        body = read_json(answer.body, source=NAME)
        refusal = read_model(_Refusal, body, source=NAME)
    except (ForecastFormatError, ForecastUnavailableError):
        return None
    return refusal.message.ratelimit.retry_at


def _pairs(value: Any) -> Any:
    """Rows of a table, so that one instant in two spellings is seen."""
    return tuple(value.items()) if isinstance(value, dict) else value


class _Result(Shape):
    energy_wh: Annotated[
        tuple[tuple[Instant, Number | None], ...],
        BeforeValidator(_pairs),
        Field(max_length=MAX_POINTS),
    ] = Field(validation_alias="watt_hours_period")


class _Info(Shape):
    latitude: Number | None = None
    longitude: Number | None = None


class _Message(Shape):
    info: _Info = Field(default_factory=_Info)


class _Answer(Shape):
    result: _Result
    message: _Message = Field(default_factory=_Message)


def parse(body: bytes, *, request: ForecastRequest) -> Observations:
    """Read an answer: energy since the stamp before, nights left out. [Wh]

    Parameters
    ----------
    body
        As sent.
    request
        Its region has the array, hence the sun of its nights.

    Raises
    ------
    ForecastError
        If it cannot be read, or is empty.
    """
    answer = read_model(_Answer, read_json(body, source=NAME), source=NAME)
    stated = sorted(answer.result.energy_wh, key=lambda pair: pair[0])
    if len(stated) < 2:
        raise ForecastUnavailableError("the answer holds no energy")
    stamps = stamps_us(at for at, _ in stated)
    steps = np.diff(stamps)
    if (steps <= 0).any():
        raise ForecastIncompleteError("an instant stands twice in the answer")
    believed = steps <= LONGEST // MICROSECOND
    ends, steps = stamps[1:][believed], steps[believed]
    energy = values_of(value for _, value in stated)[1:][believed]
    if not len(ends):
        raise ForecastIncompleteError("values more than an hour apart")
    array = array_of(request)
    reach_us = REACH // MICROSECOND
    nights = dark_gaps((ends - steps, ends), array, reach_us=reach_us)
    info = answer.message.info
    return Observations(
        series=Series.SOLAR,
        place=place_of(info.latitude, info.longitude, request),
        times_us=np.concatenate([ends, nights[1]]),
        steps_us=np.concatenate([steps, nights[1] - nights[0]]),
        values=np.concatenate([energy, np.zeros(len(nights[0]))]),
        unit="Wh",
        stamp=Stamp.END,
    )

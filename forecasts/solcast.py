"""Solcast: an array's power with quantiles, for a registered site or by its data.

The parts of the API that are used are described in docs/providers/solcast.md.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import AliasChoices, BeforeValidator, Field

from forecasts.answer_shapes import (
    MAX_POINTS,
    MICROSECOND,
    Instant,
    Number,
    Shape,
    stamps_us,
    values_of,
)
from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpAnswer, HttpRequest
from forecasts.http.secret import Secret, bearer, from_environment
from forecasts.live import BaseUrl, LiveOptions, LiveProvider, zone_of
from forecasts.provider import ForecastRequest, Observations, Stamp
from forecasts.question import Question
from forecasts.series import Series
from forecasts.solar_site import array_of, from_north_anticlockwise, site_name
from forecasts.waits import next_midnight
from inputs.durations import parse_duration
from inputs.settings import Duration, SolarArray

NAME = "solcast"
KEY = "SOLCAST_API_KEY"
MAX_HOURS = 336
QUOTA = "TooManyRequests"
SITES, PLACE = "rooftop_sites", "rooftop_pv_power"


class SolcastOptions(LiveOptions):
    """Keys of ``[forecasts.solar]`` for this provider.

    Parameters
    ----------
    api
        ``rooftop_sites`` for a site registered with a home account, whose id the
        setting ``zones`` gives; ``rooftop_pv_power`` for a commercial account,
        which is sent the array's own data.
    """

    base_url: BaseUrl = "https://api.solcast.com.au"
    # a home account may ask ten times a day
    refresh: Annotated[Duration, Field(ge=timedelta(0))] = timedelta(hours=3)
    api: Literal["rooftop_sites", "rooftop_pv_power"] = "rooftop_sites"


class Solcast(LiveProvider[SolcastOptions]):
    """Asks for one site at a time, until the end of the horizon."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.SOLAR})
    Options: ClassVar[type[SolcastOptions]] = SolcastOptions

    def question(self, request: ForecastRequest) -> Question:
        """Half-hours from now to the end of the horizon."""
        array = array_of(request)
        ahead = request.grid.end - request.now
        hours = min(max(-(-ahead // timedelta(hours=1)), 1), MAX_HOURS)
        key = bearer(from_environment(request.environment, KEY).reveal())
        site, shelf = None, site_name(request, array)
        if self.options.api == SITES:
            site = zone_of(
                request, self.options.zones,
                pattern=r"[0-9A-Za-z]{4}(-[0-9A-Za-z]{4}){3}",
                known="ids of rooftop sites such as 1a2b-3c4d-5e6f-7a8b",
            )  # fmt: skip
            shelf = f"{request.region.name}_{site}"
        return Question(
            zone=request.region.name,
            shelf=shelf,
            http=_request(self.options, site or array, hours=hours, key=key),
            parse=lambda body, _: parse(body, place=request.region.name),
        )


def _request(
    options: SolcastOptions, what: str | SolarArray, *, hours: int, key: Secret
) -> HttpRequest:
    """Request for a registered site, or for an array."""
    path = (
        f"{SITES}/{what}/forecasts"
        if isinstance(what, str)
        else f"data/forecast/{PLACE}"
    )
    return HttpRequest(
        url=f"{options.base_url}/{path}",
        params={
            "format": "json",
            "hours": str(hours),
            "period": "PT30M",
            **({} if isinstance(what, str) else _array(what)),
        },
        headers={"Authorization": key},
        busy_until=busy_until,
    )


def _array(array: SolarArray) -> dict[str, str]:
    return {
        "latitude": f"{array.latitude:.4f}",
        "longitude": f"{array.longitude:.4f}",
        "capacity": f"{array.kwp:g}",
        "tilt": f"{array.tilt:g}",
        "azimuth": f"{from_north_anticlockwise(array.azimuth):g}",
    }


class _Status(Shape):
    code: str = Field("", validation_alias="error_code")


class _Refusal(Shape):
    status: _Status = Field(validation_alias="response_status")


def busy_until(answer: HttpAnswer, now: datetime) -> datetime | None:
    """A refusal that says so means the day's quota; an empty one, a busy moment."""
    try:
        body = read_json(answer.body, source=NAME)
        refusal = read_model(_Refusal, body, source=NAME)
    except (ForecastFormatError, ForecastUnavailableError):
        return None
    return next_midnight(now) if refusal.status.code == QUOTA else None


Period = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    Field(gt=timedelta(0), le=timedelta(days=1)),
]


class _Point(Shape):
    end: Instant = Field(validation_alias="period_end")
    period: Period
    power: Number | None = Field(
        None, validation_alias=AliasChoices("pv_estimate", "pv_power_rooftop")
    )
    low: Number | None = Field(
        None, validation_alias=AliasChoices("pv_estimate10", "pv_power_rooftop10")
    )
    high: Number | None = Field(
        None, validation_alias=AliasChoices("pv_estimate90", "pv_power_rooftop90")
    )


class _Answer(Shape):
    forecasts: Annotated[tuple[_Point, ...], Field(max_length=MAX_POINTS)]


def parse(body: bytes, *, place: str) -> Observations:
    """Read an answer: ends of periods, mean kW with 10, 50 and 90 % quantiles.

    Parameters
    ----------
    body
        As sent.
    place
        Asked for; the answer does not name it.

    Raises
    ------
    ForecastError
        If it cannot be read, or is empty.
    """
    answer = read_model(_Answer, read_json(body, source=NAME), source=NAME)
    points = answer.forecasts
    if not points:
        raise ForecastUnavailableError("the answer holds no forecast")
    power = values_of(point.power for point in points)
    columns = {
        0.1: values_of(point.low for point in points),
        0.5: power,
        0.9: values_of(point.high for point in points),
    }
    told = {level: v for level, v in columns.items() if np.isfinite(v).any()}
    return Observations(
        series=Series.SOLAR,
        place=place,
        times_us=stamps_us(point.end for point in points),
        steps_us=np.array([p.period // MICROSECOND for p in points], dtype=np.int64),
        values=power,
        unit="kW",
        stamp=Stamp.END,
        quantiles=told if len(told) > 1 else {},
    )

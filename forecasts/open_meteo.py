"""Open-Meteo: weather models' irradiance, turned into an array's power by pvlib.

The parts of the API that are used are described in docs/providers/open_meteo.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from forecasts.answer_shapes import MICROSECOND, Shape, steps_us
from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpAnswer, HttpRequest
from forecasts.http.secret import Secret, optional_from_environment
from forecasts.irradiance import MeanSky, mean_power_kw
from forecasts.live import BaseUrl, LiveOptions, LiveProvider
from forecasts.open_meteo_answer import NAME, VARIABLES, Weather, read_weather
from forecasts.photovoltaics import Air
from forecasts.provider import ForecastRequest, Observations, Stamp
from forecasts.question import Question
from forecasts.series import FloatArray, Series
from forecasts.solar_site import array_of, place_of, site_name
from forecasts.waits import next_hour, next_midnight
from inputs.settings import Duration, SolarArray
from inputs.timegrid import TimeGrid

KEY = "OPEN_METEO_API_KEY"
STEPS = {"hourly": timedelta(hours=1), "minutely_15": timedelta(minutes=15)}


class OpenMeteoOptions(LiveOptions):
    """Keys of ``[forecasts.solar]`` for this provider.

    Parameters
    ----------
    step
        Of the irradiance; quarter-hours are the models' own in Central Europe and
        North America, and interpolated elsewhere.
    model
        One weather model by the service's name; by default it takes the best.
    losses
        Share lost in dirt, wiring, mismatch and downtime.
    """

    base_url: BaseUrl = "https://api.open-meteo.com"
    refresh: Annotated[Duration, Field(ge=timedelta(0))] = timedelta(hours=1)
    step: Literal["hourly", "minutely_15"] = "hourly"
    model: Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")] | None = None
    losses: Annotated[float, Field(ge=0, lt=1)] = 0.14


class OpenMeteo(LiveProvider[OpenMeteoOptions]):
    """Asks for the sky over one array at a time."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.SOLAR})
    Options: ClassVar[type[OpenMeteoOptions]] = OpenMeteoOptions

    def question(self, request: ForecastRequest) -> Question:
        """Irradiance, temperature and wind over the days of the horizon."""
        array = array_of(request)
        key = optional_from_environment(request.environment, KEY)
        return Question(
            zone=request.region.name,
            shelf=site_name(request, array),
            http=http_request(self.options, array=array, grid=request.grid, key=key),
            parse=lambda body, _: parse(body, request=request, options=self.options),
        )


def http_request(
    options: OpenMeteoOptions, *, array: SolarArray, grid: TimeGrid, key: Secret | None
) -> HttpRequest:
    """Request for the UTC days that a horizon touches, in units of this house."""
    chosen = {} if options.model is None else {"models": options.model}
    return HttpRequest(
        url=f"{options.base_url}/v1/forecast",
        params={
            "latitude": f"{array.latitude:.4f}",
            "longitude": f"{array.longitude:.4f}",
            options.step: ",".join(VARIABLES),
            "start_date": grid.start.astimezone(UTC).date().isoformat(),
            "end_date": grid.end.astimezone(UTC).date().isoformat(),
            # local times would be ambiguous on the night when clocks change
            "timezone": "GMT",
            "timeformat": "unixtime",
            "wind_speed_unit": "ms",
            **chosen,
            **({} if key is None else {"apikey": key}),
        },
        busy_until=busy_until,
    )


class _Refusal(Shape):
    reason: str = ""


def busy_until(answer: HttpAnswer, now: datetime) -> datetime | None:
    """End of the limit that a refusal speaks of: minute, hour or day."""
    try:
        body = read_json(answer.body, source=NAME)
        refusal = read_model(_Refusal, body, source=NAME)
    except (ForecastFormatError, ForecastUnavailableError):
        return None
    kind = refusal.reason.partition(" ")[0].lower()
    known = {
        "minutely": now + timedelta(minutes=1),
        "hourly": next_hour(now),
        "daily": next_midnight(now),
    }
    return known.get(kind)


def parse(
    body: bytes, *, request: ForecastRequest, options: OpenMeteoOptions
) -> Observations:
    """Read an answer and work out the array's power: ends of intervals, kW.

    Parameters
    ----------
    body
        As sent: an object, or a list of one.
    request
        Its region has the array.
    options
        Step that was asked for, and losses.

    Raises
    ------
    ForecastError
        If it cannot be read, is about elsewhere, or has a unit that is not known.
    """
    weather = read_weather(body, step=options.step)
    place = place_of(weather.latitude, weather.longitude, request)
    sky = _sky(weather, STEPS[options.step])
    return Observations(
        series=Series.SOLAR,
        place=place,
        times_us=weather.ends_us,
        values=mean_power_kw(sky, array_of(request), losses=options.losses),
        unit="kW",
        stamp=Stamp.END,
        steps_us=steps_us(len(weather.ends_us), STEPS[options.step]),
        notes=_assumed(weather),
    )


def _sky(weather: Weather, step: timedelta) -> MeanSky:
    """Means over the intervals: radiation is one, the rest is of both ends."""
    step_us = step // MICROSECOND
    return MeanSky(
        starts_us=weather.ends_us - step_us,
        step_us=step_us,
        ghi=weather.values["shortwave_radiation"],
        dhi=weather.values["diffuse_radiation"],
        air=Air(
            celsius=_mean_of_ends(weather.values["temperature_2m"]),
            wind_m_s=_mean_of_ends(weather.values["wind_speed_10m"]),
        ),
    )


def _mean_of_ends(values: FloatArray) -> FloatArray:
    before = np.concatenate([values[:1], values[:-1]])
    mean = (before + values) / 2
    return np.where(np.isfinite(mean), mean, values)


def _assumed(weather: Weather) -> tuple[str, ...]:
    air = np.isfinite(weather.values["temperature_2m"])
    needed = np.nan_to_num(weather.values["shortwave_radiation"]) > 0
    missing = int((needed & ~air).sum())
    note = f"{missing} temperatures are missing; 20 °C were assumed"
    return (note,) if missing else ()

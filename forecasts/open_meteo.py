"""Open-Meteo: weather models' irradiance, turned into an array's power by pvlib.

The parts of the API that are used are described in docs/providers/open_meteo.md.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from forecasts.answer_shapes import Number, Second, Shape, steps_us, values_of
from forecasts.errors import (
    ForecastFormatError,
    ForecastIncompleteError,
    ForecastUnavailableError,
)
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpAnswer, HttpRequest
from forecasts.http.secret import Secret, optional_from_environment
from forecasts.irradiance import MeanSky, mean_power_kw
from forecasts.live import BaseUrl, LiveOptions, LiveProvider
from forecasts.photovoltaics import Air
from forecasts.provider import ForecastRequest, Int64Array, Observations, Stamp
from forecasts.question import Question
from forecasts.series import FloatArray, Series
from forecasts.solar_site import array_of, place_of, site_name
from forecasts.waits import next_hour, next_midnight
from inputs.errors import Finding
from inputs.settings import Duration, SolarArray
from inputs.timegrid import TimeGrid

NAME = "open_meteo"
KEY = "OPEN_METEO_API_KEY"
MAX_ROWS = 5_000
"""Rows of an answer: 16 days ahead and a month back of quarter-hours."""

MAX_W_M2 = 2000.0
"""No sky is brighter on the horizontal, with light from clouds all around. [W/m²]"""

AIR = {"temperature_2m": (-95.0, 65.0), "wind_speed_10m": (0.0, 120.0)}
"""Bounds of what has been measured near the ground, and a little more. [°C, m/s]"""

STEPS = {"hourly": timedelta(hours=1), "minutely_15": timedelta(minutes=15)}
VARIABLES = {
    "shortwave_radiation": {"W/m²": 1.0},
    "diffuse_radiation": {"W/m²": 1.0},
    "temperature_2m": {"°C": 1.0},
    "wind_speed_10m": {"m/s": 1.0, "km/h": 1 / 3.6, "mp/h": 0.44704, "kn": 1.852 / 3.6},
}
"""What is asked for, and the factor of each unit that it may come in."""


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


_Values = Annotated[tuple[Number | None, ...], Field(max_length=MAX_ROWS)]


class _Columns(Shape):
    time: Annotated[
        tuple[Second | Annotated[str, Field(max_length=32)], ...],
        Field(max_length=MAX_ROWS),
    ]
    shortwave_radiation: _Values
    diffuse_radiation: _Values
    temperature_2m: _Values = ()
    wind_speed_10m: _Values = ()

    @model_validator(mode="after")
    def _equally_long(self) -> Self:
        for name in VARIABLES:
            if len(getattr(self, name)) not in (len(self.time), *self._may_lack(name)):
                raise ValueError(f"as many values of {name} as times")
        return self

    @staticmethod
    def _may_lack(name: str) -> tuple[int, ...]:
        return () if name.endswith("radiation") else (0,)


class _Answer(Shape):
    latitude: Number | None = None
    longitude: Number | None = None
    utc_offset_seconds: Annotated[int, Field(ge=-86_400, le=86_400)] = 0
    hourly: _Columns | None = None
    hourly_units: dict[str, str] = Field(default_factory=dict)
    minutely_15: _Columns | None = None
    minutely_15_units: dict[str, str] = Field(default_factory=dict)


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
    read = read_json(body, source=NAME)
    only = read[0] if isinstance(read, list) and len(read) == 1 else read
    answer = read_model(_Answer, only, source=NAME)
    columns = getattr(answer, options.step)
    if columns is None or not columns.time:
        raise ForecastUnavailableError("the answer holds no irradiance")
    units = getattr(answer, f"{options.step}_units")
    given = {name: _converted(columns, units, name) for name in VARIABLES}
    ends = _instants_us(columns.time, answer.utc_offset_seconds)
    order = np.argsort(ends, kind="stable")
    sky = _sky(ends[order], {k: v[order] for k, v in given.items()}, options)
    place = place_of(answer.latitude, answer.longitude, request)
    array = array_of(request)
    return Observations(
        series=Series.SOLAR,
        place=place,
        times_us=ends[order],
        values=mean_power_kw(sky, array, losses=options.losses),
        unit="kW",
        stamp=Stamp.END,
        steps_us=steps_us(len(ends), STEPS[options.step]),
        notes=_assumed(given),
    )


def _converted(columns: _Columns, units: dict[str, str], name: str) -> FloatArray:
    """Values of a variable in the unit of the house, NaN where it was left out."""
    values = values_of(getattr(columns, name))
    if not len(values):
        return np.full(len(columns.time), np.nan)
    unit = units.get(name)
    if unit not in VARIABLES[name]:
        finding = Finding(
            path=f"answer of {NAME}",
            field=name,
            found="no unit" if unit is None else f"unit {unit[:32]!r}",
            expected=" or ".join(VARIABLES[name]),
        )
        raise ForecastFormatError([finding])
    values = values * VARIABLES[name][unit]
    return _light(values, name) if name.endswith("radiation") else _air(values, name)


def _light(values: FloatArray, name: str) -> FloatArray:
    """Irradiance without marks for "missing": power would hide what is absurd."""
    if (values > MAX_W_M2).any():
        raise ForecastIncompleteError(
            f"{name} of {np.nanmax(values):g} W/m²; expected 0 to {MAX_W_M2:g}"
        )
    return np.where(values <= -1, np.nan, np.maximum(values, 0.0))


def _air(values: FloatArray, name: str) -> FloatArray:
    """Temperature or wind without marks for "missing", which lie below all bounds."""
    least, most = AIR[name]
    if (values > most).any():
        raise ForecastIncompleteError(
            f"{name} of {np.nanmax(values):g}; expected {least:g} to {most:g}"
        )
    return np.where(values < least, np.nan, values)


def _instants_us(times: tuple[Any, ...], offset_s: int) -> Int64Array:
    """Unix times as they are; local times by the one offset that the answer states."""
    offset = timedelta(seconds=offset_s)
    try:
        return np.array(
            [
                time * 1_000_000
                if isinstance(time, int)
                else _utc_us(datetime.fromisoformat(time), offset)
                for time in times
            ],
            dtype=np.int64,
        )
    except (ValueError, OverflowError):
        raise ForecastIncompleteError("a time of the answer cannot be read") from None


def _utc_us(local: datetime, offset: timedelta) -> int:
    return int((local.replace(tzinfo=UTC) - offset).timestamp()) * 1_000_000


def _sky(
    ends: Int64Array, given: dict[str, FloatArray], options: OpenMeteoOptions
) -> MeanSky:
    """Means over the intervals: radiation is one, the rest is of both ends."""
    step_us = STEPS[options.step] // timedelta(microseconds=1)
    return MeanSky(
        starts_us=ends - step_us,
        step_us=step_us,
        ghi=given["shortwave_radiation"],
        dhi=given["diffuse_radiation"],
        air=Air(
            celsius=_mean_of_ends(given["temperature_2m"]),
            wind_m_s=_mean_of_ends(given["wind_speed_10m"]),
        ),
    )


def _mean_of_ends(values: FloatArray) -> FloatArray:
    before = np.concatenate([values[:1], values[:-1]])
    mean = (before + values) / 2
    return np.where(np.isfinite(mean), mean, values)


def _assumed(given: dict[str, FloatArray]) -> tuple[str, ...]:
    air = np.isfinite(given["temperature_2m"])
    needed = np.nan_to_num(given["shortwave_radiation"]) > 0
    missing = int((needed & ~air).sum())
    note = f"{missing} temperatures are missing; 20 °C were assumed"
    return (note,) if missing else ()

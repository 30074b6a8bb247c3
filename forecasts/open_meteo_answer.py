"""What Open-Meteo answers: weather at the ends of intervals, in units of this house.

The parts of the API that are used are described in docs/providers/open_meteo.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

import numpy as np
from pydantic import Field, model_validator

from forecasts.answer_shapes import Number, Second, Shape, values_of
from forecasts.errors import (
    ForecastFormatError,
    ForecastIncompleteError,
    ForecastUnavailableError,
)
from forecasts.http.json_body import read_json, read_model
from forecasts.provider import Int64Array
from forecasts.series import FloatArray
from inputs.errors import Finding

NAME = "open_meteo"
MAX_ROWS = 5_000
"""Rows of an answer: 16 days ahead and a month back of quarter-hours."""

MAX_W_M2 = 2000.0
"""No sky is brighter on the horizontal, with light from clouds all around. [W/m²]"""

AIR = {"temperature_2m": (-95.0, 65.0), "wind_speed_10m": (0.0, 120.0)}
"""Bounds of what has been measured near the ground, and a little more. [°C, m/s]"""

VARIABLES = {
    "shortwave_radiation": {"W/m²": 1.0},
    "diffuse_radiation": {"W/m²": 1.0},
    "temperature_2m": {"°C": 1.0},
    "wind_speed_10m": {"m/s": 1.0, "km/h": 1 / 3.6, "mp/h": 0.44704, "kn": 1.852 / 3.6},
}
"""What is asked for, and the factor of each unit that it may come in."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weather:
    """What an answer holds, in the order of time.

    Parameters
    ----------
    latitude, longitude
        Where it is of, as far as the answer tells. [degrees]
    ends_us
        Shape (n,): ends of the intervals. [µs since 1970 UTC]
    values
        Shape (n,) for each of ``VARIABLES``, NaN where it is missing: radiation as a
        mean of the interval, the rest at its end. [W/m², °C, m/s]
    """

    latitude: float | None
    longitude: float | None
    ends_us: Int64Array
    values: Mapping[str, FloatArray]


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


def read_weather(body: bytes, *, step: str) -> Weather:
    """Read an answer.

    Parameters
    ----------
    body
        As sent: an object, or a list of one.
    step
        That was asked for: ``hourly`` or ``minutely_15``.

    Raises
    ------
    ForecastError
        If it cannot be read, holds nothing, or has a unit that is not known.
    """
    read = read_json(body, source=NAME)
    only = read[0] if isinstance(read, list) and len(read) == 1 else read
    answer = read_model(_Answer, only, source=NAME)
    columns = getattr(answer, step)
    if columns is None or not columns.time:
        raise ForecastUnavailableError("the answer holds no irradiance")
    units = getattr(answer, f"{step}_units")
    given = {name: _converted(columns, units, name) for name in VARIABLES}
    ends = _instants_us(columns.time, answer.utc_offset_seconds)
    order = np.argsort(ends, kind="stable")
    return Weather(
        latitude=answer.latitude,
        longitude=answer.longitude,
        ends_us=ends[order],
        values={name: values[order] for name, values in given.items()},
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

"""Forecasters that need only a history, as providers of the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, ClassVar

import numpy as np
from pydantic import Field

from forecasts.errors import ForecastUnavailableError
from forecasts.own.conformal import LEVELS, quantiles
from forecasts.own.learned import learned
from forecasts.own.past import Past
from forecasts.own.record import Record, read_record
from forecasts.own.simple import climatology, last_week, yesterday
from forecasts.own.task import Task, task_of
from forecasts.own.weather import read_weather, weather_tables
from forecasts.provider import (
    ForecastRequest,
    Observations,
    ProviderOptions,
    Stamp,
)
from forecasts.series import FloatArray, Series, Signal
from inputs.settings import Duration
from inputs.timegrid import from_us

Forecaster = Callable[[Past], FloatArray]

FORECASTERS: dict[str, Forecaster] = {
    "yesterday": yesterday,
    "last_week": last_week,
    "climatology": climatology,
    "learned": learned,
}
"""Name to what forecasts every day of a past from what was known before it."""


class HistoryOptions(ProviderOptions):
    """Keys of ``[forecasts.SERIES]`` for forecasters of our own.

    Parameters
    ----------
    history
        File of values that were measured, or a folder of kept issues, relative to
        the workspace; columns as in a forecast file.
    unit, signal, stamp, step
        As for the ``file`` provider.
    """

    history: str
    unit: str | None = None
    signal: Annotated[Signal | None, Field(strict=False)] = None
    stamp: Annotated[Stamp, Field(strict=False)] = Stamp.START
    step: Duration | None = None

    def record(self, request: ForecastRequest) -> Record:
        """What the history says about the region of a request."""
        keys = ("unit", "signal", "stamp", "step")
        given = {key: getattr(self, key) for key in keys}
        return read_record(request, self.history, options=given)


class Yesterday:
    """The same hour of the newest day that is known."""

    name: ClassVar[str] = "yesterday"
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON, Series.PRICE})
    Options: ClassVar[type[HistoryOptions]] = HistoryOptions

    def __init__(self, options: HistoryOptions) -> None:
        self._options = options

    def fetch(self, request: ForecastRequest) -> Observations:
        """Forecast of the cells that cover the horizon, with quantiles.

        What is known of the horizon already is given as it was measured.
        """
        record = self._options.record(request)
        task = task_of(record, request)
        forecaster = FORECASTERS[self.name]
        columns = forecast_task(task, lambda past: (forecaster(past), past))
        return observed(task, columns, record, request)


class LastWeek(Yesterday):
    """The same hour of the newest such day of the week that is known."""

    name: ClassVar[str] = "last_week"


class Climatology(Yesterday):
    """The usual day of late, of its weekday and season."""

    name: ClassVar[str] = "climatology"


class LearnedOptions(HistoryOptions):
    """Keys of ``[forecasts.SERIES]`` for forecasters that learn.

    Parameters
    ----------
    weather
        File of forecasts of other quantities; see ``forecasts.own.weather``.
    """

    weather: str | None = None

    def weather_records(self, request: ForecastRequest) -> tuple[Record, ...]:
        """What else is forecast for the region of a request."""
        return () if self.weather is None else read_weather(request, self.weather)


class Learned:
    """What lags, calendar and weather say by regression."""

    name: ClassVar[str] = "learned"
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON, Series.PRICE})
    Options: ClassVar[type[LearnedOptions]] = LearnedOptions

    def __init__(self, options: LearnedOptions) -> None:
        self._options = options

    def fetch(self, request: ForecastRequest) -> Observations:
        """Forecast of the cells that cover the horizon, with quantiles."""
        record = self._options.record(request)
        task = task_of(record, request)
        weather = self._options.weather_records(request)

        def forecast(past: Past) -> tuple[FloatArray, Past]:
            cuts_us = task.issue_cuts_us(past, request.now)
            tables = weather_tables(weather, past.calendar, cuts_us)
            return learned(past, weather=tables), past

        columns = forecast_task(task, forecast)
        return observed(task, columns, merged_files(record, weather), request)


def merged_files(record: Record, others: Iterable[Record]) -> Record:
    """A record that names the files of others as well."""
    files = (*record.files, *(file for other in others for file in other.files))
    return replace(record, files=tuple(dict.fromkeys(files)))


def forecast_task(
    task: Task, forecast: Callable[[Past], tuple[FloatArray, Past]]
) -> FloatArray:
    """Values and quantiles of the horizon, shape (1 + n_levels, n_cells).

    Parameters
    ----------
    task
        Which days are wanted.
    forecast
        Gives the forecast of every row of a past, and the past with which its
        errors are to be judged.
    """
    rows: list[dict[int, FloatArray]] = [{} for _ in range(1 + len(LEVELS))]
    for row in task.rows:
        values, past = forecast(task.past(row))
        bands = quantiles(values, past)
        for column, table in zip(rows, (values, *bands.values()), strict=True):
            column[row] = table[row]
    columns = np.stack([task.on_horizon(column) for column in rows])
    measured = task.measured
    return np.where(np.isfinite(measured), measured, columns)


def observed(
    task: Task, columns: FloatArray, record: Record, request: ForecastRequest
) -> Observations:
    """Observations of a forecast of our own.

    Raises
    ------
    ForecastUnavailableError
        If nothing could be said of any cell.
    """
    if not np.isfinite(columns[0]).any():
        raise ForecastUnavailableError(
            "the history is too short: it knows no hour of a day like this"
        )
    if request.series is Series.CARBON:
        columns = np.maximum(columns, 0.0)
    bands = dict(zip(LEVELS, columns[1:], strict=True))
    known = {level: q for level, q in bands.items() if np.isfinite(q).all()}
    return Observations(
        series=request.series,
        place=request.region.name,
        times_us=task.times_us,
        steps_us=np.full(len(task.times_us), task.calendar.step_us, dtype=np.int64),
        values=columns[0],
        unit=_unit(record, request.series),
        signal=record.signal,
        issued_at=from_us(task.known_until_us),
        quantiles=known,
        zeros_are_data=True,
        files=record.files,
        notes=(_note(task), *record.notes),
    )


def _unit(record: Record, series: Series) -> str:
    if series is not Series.PRICE:
        return series.unit
    return f"{record.currency or '1'}/kWh"


def _note(task: Task) -> str:
    days = int(np.isfinite(task.actual).any(axis=1).sum())
    until = from_us(task.known_until_us)
    wanted_us = int(task.calendar.starts_us[task.rows[0]])
    hours = timedelta(microseconds=wanted_us - task.known_until_us) / timedelta(hours=1)
    ahead = f", {hours:.0f} h before the day" if hours >= 1 else ""
    return (
        f"own forecast from {days} days of history until "
        f"{until:%Y-%m-%d %H:%M} UTC{ahead}"
    )

"""On-site solar power: another forecast, put right by what the array fed in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import AfterValidator, Field

from forecasts.errors import ForecastUnavailableError
from forecasts.own.calendar import Calendar
from forecasts.own.conformal import LEVELS, quantiles
from forecasts.own.issues import published
from forecasts.own.kept import read_kept
from forecasts.own.learned import blend
from forecasts.own.nested import asked, built, known_source
from forecasts.own.past import Past
from forecasts.own.providers import HistoryOptions
from forecasts.own.record import Record, dated, merge, record_of
from forecasts.own.task import Task, task_of
from forecasts.photovoltaics import array_power_kw, clear_sky_irradiance, sun_position
from forecasts.provider import ForecastRequest, Int64Array, Observations, Stamp
from forecasts.series import FloatArray, Series
from inputs.settings import SolarArray
from inputs.timegrid import TimeGrid, from_us

SPAN = timedelta(days=150)
"""How far back is learnt from: the sun of half a year ago shades other roofs."""

LEAST_CLEAR = 0.03
"""Clear-sky power over kWp below which the sun is too low to learn from. [kW/kWp]"""

FEW_DAYS = 7.0
"""Days of history after which a correction is made by half."""

MOST_INDEX = 1.5
"""Largest power over clear-sky power that is believed; cloud edges reach 1.3."""

LINKE_TURBIDITY = 3.0
LOSSES = 0.14

_STEP_US = timedelta(minutes=5) // timedelta(microseconds=1)
_PAST_STEP_US = 3 * _STEP_US
_SAME_EVERY_DAY = "clear_sky"
"""Source whose clear-sky index is the same on every day."""


class SiteSolarOptions(HistoryOptions):
    """Keys of ``[forecasts.solar]`` for this provider.

    Parameters
    ----------
    source
        The forecast to correct: ``provider`` and that provider's own keys.
    issues
        File or folder of its past issues; by default those that were kept.
    ac_limit_kw
        What the inverters can feed in at most; by default the array's kWp.
    """

    source: Annotated[dict[str, Any], AfterValidator(known_source)] = Field(
        default_factory=lambda: {"provider": "clear_sky"}
    )
    issues: str | None = None
    ac_limit_kw: Annotated[float | None, Field(gt=0)] = None


class SiteSolar:
    """Regression of the clear-sky index on the source's one and the last days'."""

    name: ClassVar[str] = "site_solar"
    series: ClassVar[frozenset[Series]] = frozenset({Series.SOLAR})
    Options: ClassVar[type[SiteSolarOptions]] = SiteSolarOptions

    def __init__(self, options: SiteSolarOptions) -> None:
        self._options = options
        self.source = built(options.source)

    def fetch(self, request: ForecastRequest) -> Observations:
        """Power in pieces of 5 minutes, with quantiles where errors are known.

        Nothing learnt yet, it is the source's forecast; it is never above the
        limit of the inverters and zero while the sun is down.
        """
        array = request.region.solar
        if array is None:
            raise ForecastUnavailableError(
                f"region {request.region.name} has no solar array"
            )
        record = self._options.record(request)
        timezone = solar_timezone(array)
        task = task_of(record, request, timezone=timezone, span=SPAN)
        answer = asked(self.source, request)
        current = dated(record_of(answer, request), request.now)
        said = merge([current, *self._earlier(request)])
        site = Site.of(array, task.calendar)
        indices = self._indices(task, said, site, request)
        times, powers = site.powers(
            indices, request.grid, limit_kw=self._options.ac_limit_kw or array.kwp
        )
        bands = dict(zip(LEVELS, powers[1:], strict=True))
        days = int(np.isfinite(task.actual).any(axis=1).sum())
        until = from_us(task.known_until_us)
        return replace(
            answer,
            place=request.region.name,
            times_us=times,
            steps_us=np.full(len(times), _STEP_US, dtype=np.int64),
            values=powers[0],
            unit="kW",
            stamp=Stamp.START,
            issues_us=None,
            quantiles={q: v for q, v in bands.items() if np.isfinite(v).all()},
            files=tuple(dict.fromkeys((*answer.files, *record.files))),
            notes=(
                f"{self.source.name} corrected by {days} days of the array's own "
                f"power until {until:%Y-%m-%d %H:%M} UTC",
            ),
        )

    def _earlier(self, request: ForecastRequest) -> list[Record]:
        """What the source said of the days before."""
        source, options = self.source, self._options
        kept = read_kept(request, source.name, options.source, path=options.issues)
        return [] if kept is None else [kept]

    def _indices(
        self, task: Task, said: Record, site: Site, request: ForecastRequest
    ) -> FloatArray:
        """Clear-sky index of the wanted days and its quantiles.

        Returns
        -------
        ndarray, shape (1 + n_levels, n_days, n_columns)
            What was measured already is given as it was.
        """
        came = site.index(task.actual)
        found = np.full((1 + len(LEVELS), *task.calendar.shape), np.nan)
        for row in task.rows:
            past = task.past(row)
            own = Past(
                calendar=past.calendar, actual=came[: row + 1], cuts_us=past.cuts_us
            )
            cuts_us = task.issue_cuts_us(past, request.now)
            power = published(said, past.calendar, cuts_us)
            index = _index_of(site, power)
            if self.source.name == _SAME_EVERY_DAY:
                index[:-1] = np.where(np.isfinite(own.actual[:-1]), index[-1], np.nan)
            expected = corrected(own, index)
            bands = quantiles(expected, own)
            tables = [expected[-1], *(table[-1] for table in bands.values())]
            found[:, row] = _at_low_sun(np.stack(tables), power[-1], site.cells_kw[row])
        over = task.calendar.ends_us <= task.known_until_us
        measured = over & np.isfinite(task.actual) & (site.cells_kw > 0)
        found[:, measured] = (task.actual[measured] / site.cells_kw[measured])[None]
        return np.asarray(np.clip(found, 0.0, MOST_INDEX))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """Clear-sky power of an array in the cells of a calendar.

    Parameters
    ----------
    array
        Its size and orientation.
    calendar
        Days and cells.
    cells_kw
        Mean power of each cell, shape (n_days, n_columns).
    """

    array: SolarArray
    calendar: Calendar
    cells_kw: FloatArray

    @classmethod
    def of(cls, array: SolarArray, calendar: Calendar) -> Site:
        """Clear-sky power over all days of a calendar."""
        since, until = int(calendar.starts_us[0]), int(calendar.ends_us[-1, -1])
        times = np.arange(since, until, _PAST_STEP_US, dtype=np.int64)
        clear = _clear_kw(array, times + _PAST_STEP_US // 2)
        return cls(
            array=array, calendar=calendar, cells_kw=calendar.table(times, clear)
        )

    def index(self, power_kw: FloatArray) -> FloatArray:
        """Power over clear-sky power; NaN where the sun is too low to tell."""
        high = self.cells_kw >= LEAST_CLEAR * self.array.kwp
        found = np.full(power_kw.shape, np.nan)
        np.divide(power_kw, self.cells_kw, out=found, where=high)
        return np.asarray(np.clip(found, 0.0, MOST_INDEX))

    def powers(
        self, indices: FloatArray, grid: TimeGrid, *, limit_kw: float
    ) -> tuple[Int64Array, FloatArray]:
        """Pieces within a grid, and their power at each row of indices. [kW]"""
        times = np.arange(grid.start_us, grid.end_us, _STEP_US, dtype=np.int64)
        clear = _clear_kw(self.array, times + _STEP_US // 2)
        cells = self.calendar.cells(times)
        flat = indices.reshape(len(indices), -1)[:, cells]
        powers = np.where(clear > 0, clear * flat, 0.0)
        return times, np.clip(powers, 0.0, limit_kw)


def corrected(past: Past, index: FloatArray) -> FloatArray:
    """Clear-sky index of a source, put right by what came.

    Parameters
    ----------
    past
        Clear-sky index of what the array fed in, and what of it was known when.
    index
        What the source said of each day at its cut, shape (n_days, n_columns).

    Notes
    -----
    The correction by regression is made by n² / (n² + ``FEW_DAYS``²) with n days
    known: few days may have been like no others.
    """
    days = np.append(0, np.cumsum(np.isfinite(past.actual).any(axis=1)))
    known = days[past.complete_rows].astype(np.float64) ** 2
    trust = (known / (known + FEW_DAYS**2))[:, None]
    return np.asarray(index + trust * (blend(past, index) - index))


def _index_of(site: Site, power_kw: FloatArray) -> FloatArray:
    rows = len(power_kw)
    return replace(site, cells_kw=site.cells_kw[:rows]).index(power_kw)


def _at_low_sun(
    indices: FloatArray, power_kw: FloatArray, clear_kw: FloatArray
) -> FloatArray:
    """One day with the source's own index in cells that taught nothing.

    Their quantiles lie as far from it, in proportion, as those of the day's other
    cells do on the whole.
    """
    low = ~np.isfinite(indices[0]) & (clear_kw > 0)
    high = np.isfinite(indices[0])
    filled = indices.copy()
    own = np.zeros_like(power_kw)
    np.divide(power_kw, clear_kw, out=own, where=low)
    total = np.sum(indices[:, high] * clear_kw[high], axis=1)
    share = total / total[0] if total[0] > 0 else np.ones(len(indices))
    filled[:, low] = share[:, None] * own[low]
    return filled


def _clear_kw(array: SolarArray, times_us: Int64Array) -> FloatArray:
    sun = sun_position(times_us, array)
    sky = clear_sky_irradiance(sun, LINKE_TURBIDITY)
    return array_power_kw(sky, sun, array, losses=LOSSES)


def solar_timezone(array: SolarArray) -> str:
    """Zone without summer time whose noon is nearest to the sun's."""
    hours = round(array.longitude / 15)
    return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"

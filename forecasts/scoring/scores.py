"""Own and published forecasts of one place, each day as it would have been made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from forecasts.errors import ForecastUnavailableError
from forecasts.own.calendar import DAY_US, Calendar, calendar_of, local_date
from forecasts.own.conformal import quantiles
from forecasts.own.issues import published
from forecasts.own.learned import blend, learned
from forecasts.own.past import Past
from forecasts.own.providers import FORECASTERS
from forecasts.own.record import UNDATED_US, Record, known_at, on_cells
from forecasts.own.task import SPAN, late_us, timezone_of
from forecasts.own.weather import weather_tables
from forecasts.provider import ForecastRequest
from forecasts.scoring.measures import (
    JOB_HOURS,
    coverage,
    mape,
    pinball_loss,
    rank_correlation,
    saving_kept,
)
from forecasts.series import FloatArray

DEFAULT_DAYS = 90
"""Days that are scored where no period is asked for."""

BAND = (0.05, 0.95)
"""Levels of the band whose coverage is told; it should hold 90 % of what came."""

_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """How good one forecaster was at one place.

    Parameters
    ----------
    forecaster
        Provider, or ``blend of`` one.
    days
        Days that count: those that every forecaster of the place could forecast.
    kept, kept_interruptible
        Share of the best possible saving of a job of four hours that is kept by
        trusting the forecast: if it runs in one piece, and if it may pause.
    rank_correlation, mape, pinball, coverage
        As in ``forecasts.scoring.measures``; ``coverage`` of the 90 % band.
    """

    region: str
    forecaster: str
    days: int
    kept: float | None
    kept_interruptible: float | None
    rank_correlation: float | None
    mape: float | None
    pinball: float | None
    coverage: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days that are scored, and how long before each the forecasts are made.

    Parameters
    ----------
    first, last
        Local dates, both included; None for the last ``DEFAULT_DAYS`` that are
        known.
    lead
        From the last value and issue that may be used to the start of the day.
    """

    first: date | None = None
    last: date | None = None
    lead: timedelta = timedelta(0)


def score(
    history: Record,
    issues: Mapping[str, Record],
    request: ForecastRequest,
    period: Period,
    *,
    weather: Sequence[Record] = (),
) -> tuple[Score, ...]:
    """Scores of all forecasters at one place, best saving first.

    Each day is forecast from what was known ``period.lead`` before it began; the
    same days count for all. Days on which the clock changes are left out.

    Parameters
    ----------
    history
        What was measured.
    issues
        Provider to all that it has published; values that bear no date are not
        used.
    request
        Series, region and clock: nothing later than ``now`` is used.
    period
        Which days.
    weather
        Forecasts of other quantities, for forecasters that learn.

    Raises
    ------
    ForecastUnavailableError
        If no day of the period can be scored.
    """
    past, rows = _past(history, request, period)
    forecasts = _forecasts(past, issues, weather)
    days = _days(past, forecasts, rows)
    if not len(days):
        raise ForecastUnavailableError(
            f"no day of the period is known wholly and forecast by all of "
            f"{', '.join(forecasts)}"
        )
    scores = [
        _score(past, name, forecast, days, request.region.name)
        for name, forecast in forecasts.items()
    ]
    return tuple(sorted(scores, key=_rank))


def _past(
    history: Record, request: ForecastRequest, period: Period
) -> tuple[Past, slice]:
    cell_us, timezone = history.cell_us, timezone_of(request)
    known = on_cells(known_at(history, request.now), cell_us)
    if not len(known.starts_us):
        raise ForecastUnavailableError("the history holds no value before now")
    newest = local_date(int(known.ends_us.max()) - 1, timezone)
    last = min(period.last or newest, newest)
    first = period.first or last - timedelta(days=DEFAULT_DAYS - 1)
    oldest = local_date(int(known.starts_us[0]), timezone)
    if last < max(first, oldest):
        raise ForecastUnavailableError(
            f"the history holds {oldest} to {newest}, asked for are {first} to {last}"
        )
    calendar = calendar_of(
        min(max(oldest, first - SPAN), last), last, timezone=timezone, step_us=cell_us
    )
    past = Past(
        calendar=calendar,
        actual=calendar.table(known.starts_us, known.values),
        cuts_us=calendar.starts_us
        - period.lead // _MICROSECOND
        - late_us(known, calendar),
    )
    return past, slice(max(calendar.row_of(first), 0), calendar.row_of(last) + 1)


def _forecasts(
    past: Past, issues: Mapping[str, Record], weather: Sequence[Record]
) -> dict[str, FloatArray]:
    """Forecast of every day by everybody, shape (n_days, n_columns) each."""
    forecasts = {name: forecaster(past) for name, forecaster in FORECASTERS.items()}
    tables = weather_tables(weather, past.calendar, past.cuts_us)
    if tables:
        forecasts["learned"] = learned(past, weather=tables)
    for name, record in issues.items():
        dated = record.among(record.issues_us != UNDATED_US)
        said = published(dated, past.calendar, past.cuts_us)
        if np.isfinite(said).any():
            forecasts[name] = said
            forecasts[f"blend of {name}"] = blend(past, said, weather=tables)
    return forecasts


def _days(past: Past, forecasts: Mapping[str, FloatArray], rows: slice) -> np.ndarray:
    """Rows of the period with 24 hours that everybody knows and has forecast."""
    whole = np.isfinite(past.actual).all(axis=1) & _plain_days(past.calendar)
    for forecast in forecasts.values():
        whole &= np.isfinite(forecast).all(axis=1)
    return np.arange(len(whole))[rows][whole[rows]]


def _plain_days(calendar: Calendar) -> np.ndarray:
    wall = calendar.starts_us[:, None] + np.arange(
        calendar.step_us, DAY_US + 1, calendar.step_us
    )
    return np.asarray((calendar.ends_us == wall).all(axis=1))


def _score(
    past: Past, name: str, forecast: FloatArray, days: np.ndarray, region: str
) -> Score:
    actual, said = past.actual[days], forecast[days]
    bands = {level: q[days] for level, q in quantiles(forecast, past).items()}
    cells = round(JOB_HOURS * 3.6e9 / past.calendar.step_us)
    return Score(
        region=region,
        forecaster=name,
        days=len(days),
        kept=saving_kept(actual, said, cells=cells, interruptible=False),
        kept_interruptible=saving_kept(actual, said, cells=cells, interruptible=True),
        rank_correlation=rank_correlation(actual, said),
        mape=mape(actual, said),
        pinball=pinball_loss(actual, bands),
        coverage=coverage(actual, *(bands[level] for level in BAND)),
    )


def _rank(score: Score) -> tuple[float, str]:
    return -(score.kept if score.kept is not None else -np.inf), score.forecaster

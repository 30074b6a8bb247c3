"""The one path from what a source said to a forecast on slots."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np

from forecasts.checks import (
    plausible_range,
    review,
    without_absurd,
    without_false_zeros,
    without_marks,
)
from forecasts.errors import ForecastIncompleteError
from forecasts.intervals import Intervals, arrange
from forecasts.provider import ForecastRequest, Observations
from forecasts.resample import to_slots
from forecasts.series import FloatArray, Forecast, Series
from forecasts.units import currency_of, to_house_unit
from inputs.settings import ForecastTable

MAX_FILLED_SHARE = 0.25
"""Share of filled slots above which a forecast counts as degraded."""

EDGES = {Series.PRICE: timedelta(hours=1)}
"""How long a value is held at the edges though its step be shorter: the market's day
ends at midnight in Central Europe, an hour before that of its western zones."""


def prepare(
    observations: Observations,
    request: ForecastRequest,
    *,
    table: ForecastTable,
    provider: str,
) -> Forecast:
    """Forecast on the slots of the request: converted, checked, filled, resampled.

    Parameters
    ----------
    observations
        What the source said.
    request
        What it was asked.
    table
        Settings of the series: ``max_gap``, ``plausible_max`` and ``currency`` apply
        here.
    provider
        Registered name of the source.

    Raises
    ------
    ForecastError
        If the answer is about another place, cannot be true, or leaves holes.
    """
    _refuse_elsewhere(observations, request)
    currency = _currency(observations, table)
    intervals = arrange(observations, request)
    known, doubts = _believed(intervals, observations, request, table)
    edge = EDGES.get(request.series, timedelta(0))
    slots = to_slots(known, request.grid, max_gap=table.max_gap, edge=edge)
    remarks = review(
        slots.columns[0], request, zeros_are_data=observations.zeros_are_data
    )
    share = slots.filled.mean()
    filled = _filled_note(int(slots.filled.sum()), request, table)
    return Forecast(
        series=request.series,
        region=request.region.name,
        grid=request.grid,
        values=slots.columns[0],
        provider=provider,
        signal=observations.signal,
        issued_at=intervals.issued_at,
        quality=slots.quality(observations.quality),
        quantiles=_quantiles(known.levels, slots.columns[1:]),
        degraded=observations.degraded or bool(share > MAX_FILLED_SHARE),
        notes=(
            *observations.notes,
            *observations.label,
            *intervals.notes,
            *doubts,
            *filled,
            *remarks,
        ),
        currency=currency,
    )


def _refuse_elsewhere(observations: Observations, request: ForecastRequest) -> None:
    region = request.region
    if observations.place not in (region.name, region.zone):
        wanted = " or ".join(name for name in (region.name, region.zone) if name)
        raise ForecastIncompleteError(
            f"the answer is about {observations.place!r}, asked for was {wanted}"
        )
    if observations.series is not request.series:
        raise ForecastIncompleteError(
            f"the answer is a {observations.series} series, asked for was "
            f"{request.series}"
        )
    if request.series is Series.CARBON and observations.signal is None:
        raise ForecastIncompleteError(
            "the answer does not say whether it is average or marginal"
        )


def _currency(observations: Observations, table: ForecastTable) -> str | None:
    """Currency of prices, which must be the one that the settings name."""
    stated = currency_of(observations.unit)
    if table.currency is None or observations.series is not Series.PRICE:
        return stated
    if stated not in (None, table.currency):
        raise ForecastIncompleteError(
            f"the prices are in {stated}, the settings ask for {table.currency}; "
            "currencies are not converted"
        )
    return table.currency


def _believed(
    intervals: Intervals,
    observations: Observations,
    request: ForecastRequest,
    table: ForecastTable,
) -> tuple[Intervals, tuple[str, ...]]:
    """What is there and can be true, in the house's unit, and what was left out."""
    converted = _converted(intervals, observations)
    allowed = plausible_range(request, table.plausible_max)
    columns, clipped = without_absurd(converted, allowed, request.series.unit)
    zeros: tuple[str, ...] = ()
    if request.series is Series.CARBON and not observations.zeros_are_data:
        columns[0], zeros = without_false_zeros(columns[0])
    known, dropped = _known(replace(converted, columns=columns))
    return known, (*clipped, *zeros, *dropped)


def _converted(intervals: Intervals, observations: Observations) -> Intervals:
    unit, series = observations.unit, observations.series
    marked = without_marks(intervals.columns, series=series, unit=unit)
    columns = to_house_unit(marked, intervals.steps_us, unit=unit, series=series)
    return replace(intervals, columns=np.array(columns))


def _known(intervals: Intervals) -> tuple[Intervals, tuple[str, ...]]:
    """Intervals that have a value, and the quantile levels without a hole there."""
    have = np.isfinite(intervals.columns[0])
    columns = intervals.columns[:, have]
    whole = np.append(True, np.isfinite(columns[1:]).all(axis=1))
    lost = [
        f"{level:g}"
        for level, ok in zip(intervals.levels, whole[1:], strict=True)
        if not ok
    ]
    note = f"quantiles {', '.join(lost)} have holes and were left out"
    known = replace(
        intervals,
        starts_us=intervals.starts_us[have],
        steps_us=intervals.steps_us[have],
        columns=columns[whole],
        levels=tuple(
            level for level, ok in zip(intervals.levels, whole[1:], strict=True) if ok
        ),
    )
    return known, (note,) if lost else ()


def _quantiles(
    levels: tuple[float, ...], columns: FloatArray
) -> dict[float, FloatArray]:
    """Quantiles rising with their level; crossing ones are put in order.

    References
    ----------
    Chernozhukov, Fernández-Val, Galichon 2010, Quantile and Probability Curves
    Without Crossing, doi:10.3982/ECTA7880: sorting never makes them worse.
    """
    return dict(zip(levels, np.sort(columns, axis=0), strict=True))


def _filled_note(
    count: int, request: ForecastRequest, table: ForecastTable
) -> tuple[str, ...]:
    if not count:
        return ()
    return (
        f"{count} of {request.grid.n_slots} slots were filled in across holes of "
        f"at most {table.max_gap}",
    )

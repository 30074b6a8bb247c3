"""Forecasts of a horizon that has begun: what is over cannot be forecast any more.

Services speak about the hours to come. No job can start in those that are over, but
tables, charts and the mean over a day want a value there.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np

from forecasts.errors import ForecastError, ForecastIncompleteError
from forecasts.preparation import prepare
from forecasts.provider import ForecastRequest, Observations
from forecasts.series import FloatArray, Forecast, Quality, Series
from inputs.settings import ForecastTable
from inputs.timegrid import TimeGrid


def prepare_from_now(
    observations: Observations,
    request: ForecastRequest,
    *,
    table: ForecastTable,
    provider: str,
) -> Forecast:
    """``prepare``, except that slots which have begun may be missing.

    Where the whole horizon cannot be had, the slots that begin later must be whole
    all the same. Each slot that has begun takes the newest value that the source
    ever gave for it; where there is none, the mean of the slots to come (for solar
    power, nothing), and is labelled as filled. Neither makes the forecast degraded.

    Raises
    ------
    ForecastError
        As ``prepare``, for the slots that begin later.
    """
    try:
        return prepare(observations, request, table=table, provider=provider)
    except ForecastIncompleteError:
        begun = slots_begun(request.grid, request.now)
        if not 0 < begun < request.grid.n_slots:
            raise
        later = replace(request, grid=part_of(request.grid, begun, None))
        coming = prepare(observations, later, table=table, provider=provider)
        over = _said_before(observations, request, begun, table=table)
        return _joined(over, coming, request)


def slots_begun(grid: TimeGrid, now: datetime) -> int:
    """Number of slots that have begun, from 0 to all of them."""
    return int(np.clip(-(-(now - grid.start) // grid.step), 0, grid.n_slots))


def part_of(grid: TimeGrid, first: int, end: int | None) -> TimeGrid:
    """Slots ``first`` to ``end`` of a grid as one of its own."""
    last = grid.n_slots if end is None else end
    return replace(grid, start=grid.slot_start(first), n_slots=last - first)


def _said_before(
    observations: Observations,
    request: ForecastRequest,
    begun: int,
    *,
    table: ForecastTable,
) -> FloatArray:
    """Newest value for each slot that has begun, NaN without; shape (begun,)."""
    values = np.full(begun, np.nan)
    for said in (observations, *observations.past):
        first, end = _covered(said, request.grid)
        end = min(end, begun)
        if first >= end or not np.isnan(values[first:end]).any():
            continue
        asked = replace(request, grid=part_of(request.grid, first, end))
        try:
            told = prepare(said, asked, table=table, provider="past").values
        except ForecastError:
            continue
        values[first:end] = np.where(
            np.isnan(values[first:end]), told, values[first:end]
        )
    return values


def _covered(said: Observations, grid: TimeGrid) -> tuple[int, int]:
    """First slot that lies whole in what was said, and the one after the last."""
    if not len(said.times_us):
        return 0, 0
    steps = said.steps_us
    last_step = 0 if steps is None or not len(steps) else int(steps.max())
    start, end = said.times_us.min(), said.times_us.max() + last_step
    first = -(-(int(start) - grid.start_us) // grid.step_us)
    return max(first, 0), max((int(end) - grid.start_us) // grid.step_us, 0)


def _joined(over: FloatArray, coming: Forecast, request: ForecastRequest) -> Forecast:
    unknown = np.isnan(over)
    solar = request.series is Series.SOLAR
    filling = 0.0 if solar else float(coming.values.mean())
    past = np.where(unknown, filling, over)
    labels = np.where(unknown, Quality.FILLED, Quality.PROVIDED).astype(np.int8)
    return Forecast(
        series=coming.series,
        region=coming.region,
        grid=request.grid,
        values=np.append(past, coming.values),
        provider=coming.provider,
        signal=coming.signal,
        issued_at=coming.issued_at,
        quality=np.append(labels, coming.quality),
        quantiles={q: np.append(past, v) for q, v in coming.quantiles.items()},
        degraded=coming.degraded,
        notes=(*coming.notes, *_notes(unknown, solar=solar)),
        currency=coming.currency,
    )


def _notes(unknown: np.ndarray, *, solar: bool) -> tuple[str, ...]:
    known, filled = int((~unknown).sum()), int(unknown.sum())
    filling = "hold no sun" if solar else "hold the mean of those to come"
    notes = []
    if known:
        notes.append(f"{known} slots that have begun hold what was forecast for them")
    if filled:
        notes.append(
            f"{filled} slots that have begun are not known and {filling}; no job can "
            "start there any more"
        )
    return tuple(notes)

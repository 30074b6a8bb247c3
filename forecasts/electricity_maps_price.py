"""Electricity Maps: day-ahead prices of a zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AliasChoices, Field

from forecasts.answer_shapes import (
    MAX_POINTS,
    Instant,
    Number,
    Shape,
    stamps_us,
    steps_us,
    values_of,
)
from forecasts.day_ahead import not_published, one_unit, published
from forecasts.electricity_maps_shapes import STEPS, Origin, read_answer
from forecasts.http.message import one_line
from forecasts.provider import Observations
from forecasts.series import Series
from inputs.timegrid import TimeGrid

PATH = "price-day-ahead/forecast"
PAST_PATH = "price-day-ahead/past-range"


def window(grid: TimeGrid) -> dict[str, str]:
    """Parameters that ask for the hours of a horizon."""
    return {"start": _instant(grid.start), "end": _instant(grid.end)}


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


class _Row(Shape):
    at: Instant = Field(validation_alias="datetime")
    value: Number | None = None
    unit: Annotated[str, Field(max_length=32)] = ""
    source: Annotated[str, Field(max_length=256)] | None = None


class _Answer(Origin):
    rows: Annotated[tuple[_Row, ...], Field(max_length=MAX_POINTS)] = Field(
        validation_alias=AliasChoices("data", "forecast")
    )


def parse(body: bytes, *, grid: TimeGrid) -> Observations:
    """Read an answer: starts of hours, UTC, in the unit that each row declares.

    Parameters
    ----------
    body
        As sent.
    grid
        Asked for; hours that are not auctioned yet are not in the answer.

    Raises
    ------
    ForecastError
        If it cannot be read, has nothing of the horizon, or comes from the sandbox.
    """
    answer = read_answer(_Answer, body)
    if not answer.rows:
        raise not_published(grid)
    markets = sorted({row.source for row in answer.rows if row.source})
    read = Observations(
        series=Series.PRICE,
        place=answer.zone,
        times_us=stamps_us(row.at for row in answer.rows),
        values=values_of(row.value for row in answer.rows),
        unit=one_unit({row.unit for row in answer.rows}),
        steps_us=steps_us(len(answer.rows), STEPS.get(answer.granularity or "")),
        notes=tuple(f"prices of {one_line(market)}" for market in markets),
    )
    return published(read, grid)

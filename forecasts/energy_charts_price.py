"""Energy-Charts: day-ahead prices of a bidding zone."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from forecasts.answer_shapes import MAX_POINTS, Number, Second, Shape, values_of
from forecasts.bidding_zones import BiddingZone, bidding_zone_of
from forecasts.day_ahead import not_published, one_unit, published
from forecasts.errors import ForecastIncompleteError, ForecastUnavailableError
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import one_line
from forecasts.provider import ForecastRequest, Observations
from forecasts.series import Series
from inputs.timegrid import TimeGrid

NAME = "energy_charts"
PATH = "price"
_US_PER_S = 1_000_000


def zone_name(request: ForecastRequest, zones: dict[str, str]) -> str:
    """Bidding zone of the region by its usual name, which the service wants.

    Raises
    ------
    ForecastUnavailableError
        If the region names none.
    """
    zone: BiddingZone = bidding_zone_of(request, zones)
    if zone.name is None:
        raise ForecastUnavailableError(
            f"this provider wants the name of the bidding zone, not {zone.eic}"
        )
    return zone.name


def params(zone: str, grid: TimeGrid) -> dict[str, str]:
    """Parameters that ask for a zone's prices of a horizon."""
    start, end = grid.start_us // _US_PER_S, grid.end_us // _US_PER_S
    return {"bzn": zone, "start": str(start), "end": str(end)}


class _Answer(Shape):
    unix_seconds: Annotated[tuple[Second, ...], Field(max_length=MAX_POINTS)]
    price: Annotated[tuple[Number | None, ...], Field(max_length=MAX_POINTS)]
    unit: Annotated[str, Field(max_length=32)] = ""
    licence: str = Field("", validation_alias="license_info")


def parse(body: bytes, *, zone: str, grid: TimeGrid) -> Observations:
    """Read an answer: starts of hours or quarter-hours, in the unit it declares.

    Parameters
    ----------
    body
        As sent.
    zone
        Asked for; the answer does not name it.
    grid
        Asked for; hours that are not auctioned yet are not in the answer.

    Raises
    ------
    ForecastError
        If it cannot be read, or has nothing of the horizon.
    """
    answer = read_model(_Answer, read_json(body, source=NAME), source=NAME)
    times, prices = answer.unix_seconds, answer.price
    if len(times) != len(prices):
        raise ForecastIncompleteError(f"{len(times)} times and {len(prices)} prices")
    if not times:
        raise not_published(grid)
    licence = one_line(answer.licence)
    read = Observations(
        series=Series.PRICE,
        place=zone,
        times_us=_US_PER_S * np.array(times, dtype=np.int64),
        values=values_of(prices),
        unit=one_unit({answer.unit}),
        notes=(f"licence of the prices: {licence}",) if licence else (),
    )
    return published(read, grid)

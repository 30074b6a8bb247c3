"""ENTSO-E Transparency Platform: day-ahead prices of Europe's bidding zones.

The parts of the API that are used are described in docs/providers/entsoe.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import numpy as np

from forecasts.bidding_zones import BiddingZone, bidding_zone_of
from forecasts.day_ahead import AUCTION, one_unit, published
from forecasts.entsoe_api import SERVICE, TOKEN, api_request, document
from forecasts.errors import ForecastUnavailableError
from forecasts.http.message import HttpRequest
from forecasts.http.secret import Secret, from_environment
from forecasts.live import BaseUrl, LiveOptions, LiveProvider
from forecasts.market_document import Prices, merged, prices_of
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Question
from forecasts.series import Series
from inputs.timegrid import TimeGrid

NAME = "entsoe"
DAY_AHEAD_PRICES, DAY_AHEAD = "A44", "A01"
PRICES = "Publication_MarketDocument"


class EntsoeOptions(LiveOptions):
    """Keys of ``[forecasts.price]`` for this provider."""

    base_url: BaseUrl = SERVICE


class Entsoe(LiveProvider[EntsoeOptions]):
    """Asks for the prices of one bidding zone at a time."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.PRICE})
    Options: ClassVar[type[EntsoeOptions]] = EntsoeOptions
    measured_span: ClassVar[timedelta] = timedelta(days=31)

    def question(self, request: ForecastRequest) -> Question:
        """All market days that the horizon touches."""
        zone = bidding_zone_of(request, self.options.zones)
        key = from_environment(request.environment, TOKEN)
        return Question(
            zone=zone.name or zone.eic,
            http=http_request(self.options, zone=zone, grid=request.grid, key=key),
            parse=lambda body, _: parse(body, zone=zone, grid=request.grid),
        )

    def measured(self, request: ForecastRequest) -> Question:
        """All market days of time that is over: the same question."""
        return self.question(request)


def http_request(
    options: EntsoeOptions, *, zone: BiddingZone, grid: TimeGrid, key: Secret
) -> HttpRequest:
    """Request for the prices of a horizon."""
    asked = {
        "documentType": DAY_AHEAD_PRICES,
        "in_Domain": zone.eic,
        "out_Domain": zone.eic,
        "contract_MarketAgreement.type": DAY_AHEAD,
    }
    return api_request(options.base_url, asked, grid=grid, key=key)


def parse(body: bytes, *, zone: BiddingZone, grid: TimeGrid) -> Observations:
    """Read an answer: starts of hours or quarter-hours, currency per MWh.

    Parameters
    ----------
    body
        As sent. What it is, its root element says, not the status.
    zone
        Asked for; every series must be about it.
    grid
        Asked for; a market day that is not auctioned yet is not in the answer.

    Raises
    ------
    ForecastError
        If it cannot be read, holds nothing, or nothing of the horizon.
    """
    root = document(
        body,
        source=NAME,
        wanted=PRICES,
        none=lambda said: (
            f"the prices of {grid.date} are not published yet, or not for this zone "
            f"({AUCTION}); {said}"
        ),
    )
    series, other_auctions = _main_auction(prices_of(root, source=NAME))
    place = next((s.eic for s in series if s.eic != zone.eic), zone.eic)
    cells, notes = merged(series)
    read = Observations(
        series=Series.PRICE,
        place=(zone.name or zone.eic) if place == zone.eic else place,
        times_us=np.array([cell.start_us for cell in cells], dtype=np.int64),
        steps_us=np.array([cell.step_us for cell in cells], dtype=np.int64),
        values=np.array([cell.value for cell in cells], dtype=np.float64),
        unit=one_unit({s.unit for s in series}),
        notes=(*other_auctions, *notes),
    )
    return published(read, grid)


def _main_auction(series: list[Prices]) -> tuple[list[Prices], tuple[str, ...]]:
    """Day-ahead series of the coupled auction, and a note on what else there was."""
    main = [s for s in series if s.agreement == DAY_AHEAD and s.sequence == 1]
    if not main:
        raise ForecastUnavailableError("the answer holds no day-ahead prices")
    left = len(series) - len(main)
    note = f"{left} price series of other auctions were left out"
    return main, (note,) if left else ()

"""Intensity worked out from actual generation by type and life-cycle factors.

The parts of ENTSO-E's API that are used are described in
docs/providers/entsoe_generation.md.
"""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import numpy as np

from forecasts.bidding_zones import BiddingZone, bidding_zone_of
from forecasts.emission_factors import Factors, factors_of
from forecasts.entsoe_api import SERVICE, TOKEN, api_request, document
from forecasts.generation_document import intensity_of, outputs_of
from forecasts.http.message import HttpRequest
from forecasts.http.secret import Secret, from_environment
from forecasts.live import BaseUrl, LiveOptions
from forecasts.past_only import PastProvider
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Question
from forecasts.series import Series, Signal
from inputs.timegrid import TimeGrid

NAME = "entsoe_generation"
ACTUAL_GENERATION, REALISED = "A75", "A16"
GENERATION = "GL_MarketDocument"


class EntsoeGenerationOptions(LiveOptions):
    """Keys of ``[forecasts.carbon]`` for this provider.

    Parameters
    ----------
    factors
        CSV file of emission factors by type, in place of those of the table.
    """

    base_url: BaseUrl = SERVICE
    factors: str | None = None


class EntsoeGeneration(PastProvider[EntsoeGenerationOptions]):
    """Asks what was generated in one bidding zone; imports are not in it."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON})
    Options: ClassVar[type[EntsoeGenerationOptions]] = EntsoeGenerationOptions
    measured_span: ClassVar[timedelta] = timedelta(days=14)

    def measured(self, request: ForecastRequest) -> Question:
        """Generation of all types in time that is over."""
        zone = bidding_zone_of(request, self.options.zones)
        factors = factors_of(request.root, self.options.factors)
        key = from_environment(request.environment, TOKEN)
        return Question(
            zone=zone.name or zone.eic,
            http=http_request(self.options, zone=zone, grid=request.grid, key=key),
            parse=lambda body, _: parse(body, zone=zone, factors=factors),
        )


def http_request(
    options: EntsoeGenerationOptions, *, zone: BiddingZone, grid: TimeGrid, key: Secret
) -> HttpRequest:
    """Request for the generation of all types over the time of a grid."""
    asked = {
        "documentType": ACTUAL_GENERATION,
        "processType": REALISED,
        "in_Domain": zone.eic,
    }
    return api_request(options.base_url, asked, grid=grid, key=key)


def parse(body: bytes, *, zone: BiddingZone, factors: Factors) -> Observations:
    """Read an answer, and work out the intensity of what was generated.

    Parameters
    ----------
    body
        As sent.
    zone
        Asked for; every series must be about it.
    factors
        By type of production.

    Raises
    ------
    ForecastError
        If it cannot be read, holds nothing, or a type that has no factor.
    """
    root = document(
        body,
        source=NAME,
        wanted=GENERATION,
        none=lambda said: f"no generation is told of this time or zone; {said}",
    )
    outputs = outputs_of(root, source=NAME)
    place = next((o.eic for o in outputs if o.eic != zone.eic), zone.eic)
    found = intensity_of(outputs, factors.g_per_kwh)
    return Observations(
        series=Series.CARBON,
        place=(zone.name or zone.eic) if place == zone.eic else place,
        times_us=found.starts_us,
        steps_us=np.full(len(found.starts_us), found.step_us, dtype=np.int64),
        values=found.values,
        unit="g/kWh",
        signal=Signal.AVERAGE,
        notes=found.notes,
        estimated=f"generation by type x {factors.named}; imports not counted",
    )

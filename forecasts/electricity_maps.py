"""Electricity Maps: average, flow-traced life-cycle intensity of a zone, and prices.

The parts of the API that are used are described in docs/providers/electricity_maps.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AliasChoices, Field

from forecasts import electricity_maps_price as price
from forecasts.answer_shapes import (
    MAX_POINTS,
    Instant,
    Number,
    Shape,
    stamps_us,
    steps_us,
    values_of,
)
from forecasts.electricity_maps_shapes import (
    NAME,
    STEPS,
    Origin,
    read_answer,
    refuse_sandbox,
)
from forecasts.errors import ForecastUnavailableError
from forecasts.http.message import HttpRequest
from forecasts.http.secret import Secret, from_environment
from forecasts.live import BaseUrl, LiveOptions, LiveProvider, zone_of
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Question
from forecasts.series import Series, Signal

TOKEN = "ELECTRICITY_MAPS_TOKEN"
PAST_PATH = "carbon-intensity/past-range"
HORIZONS = (6, 24, 48, 72)
"""Horizons that the service offers. [h]"""

_NO_GUESS = {
    "v3": {"shouldUseFallbackCallerLookup": "false"},
    "v4": {"disableCallerLookup": "true"},
}
"""Else a zone that is not known becomes the zone of the caller's address."""


class ElectricityMapsOptions(LiveOptions):
    """Keys of ``[forecasts.carbon]`` and ``[forecasts.price]`` for this provider.

    Parameters
    ----------
    version
        Of the API.
    granularity
        Step that is asked for.
    key_header
        Header that carries the key, for gateways that want another.
    """

    base_url: BaseUrl = "https://api.electricitymaps.com"
    version: Literal["v3", "v4"] = "v4"
    granularity: Literal["5_minutes", "15_minutes", "hourly"] = "hourly"
    key_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,64}$")] = "auth-token"


class ElectricityMaps(LiveProvider[ElectricityMapsOptions]):
    """Asks for the forecast of one zone at a time."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON, Series.PRICE})
    Options: ClassVar[type[ElectricityMapsOptions]] = ElectricityMapsOptions
    measured_span: ClassVar[timedelta] = timedelta(days=10)

    def question(self, request: ForecastRequest) -> Question:
        """Intensity from the running hour on, or prices of the horizon."""
        if request.series is Series.PRICE:
            return self._of_prices(request, price.PATH)
        zone, key = self._zone_and_key(request)
        ahead = request.grid.end - request.now
        http = http_request(self.options, zone=zone, ahead=ahead, key=key)
        return Question(zone=zone, http=http, parse=parse)

    def measured(self, request: ForecastRequest) -> Question:
        """Intensity as it was estimated afterwards, or prices that were auctioned."""
        if request.series is Series.PRICE:
            return self._of_prices(request, price.PAST_PATH)
        zone, key = self._zone_and_key(request)
        span = price.window(request.grid)
        http = _request(self.options, PAST_PATH, span, zone=zone, key=key)
        return Question(zone=zone, http=http, parse=parse)

    def _of_prices(self, request: ForecastRequest, path: str) -> Question:
        zone, key = self._zone_and_key(request)
        grid = request.grid
        http = _request(self.options, path, price.window(grid), zone=zone, key=key)
        return Question(
            zone=zone, http=http, parse=lambda body, _: price.parse(body, grid=grid)
        )

    def _zone_and_key(self, request: ForecastRequest) -> tuple[str, Secret]:
        zone = zone_of(
            request, self.options.zones,
            pattern=r"[A-Z][A-Z0-9-]{1,31}", known="zones such as DE or US-CAL-CISO",
        )  # fmt: skip
        return zone, from_environment(request.environment, TOKEN)


def http_request(
    options: ElectricityMapsOptions, *, zone: str, ahead: timedelta, key: Secret
) -> HttpRequest:
    """Request for the shortest horizon on offer that reaches ``ahead`` of now."""
    reach = (h for h in HORIZONS if timedelta(hours=h) >= ahead)
    hours = {"horizonHours": str(next(reach, HORIZONS[-1]))}
    return _request(options, "carbon-intensity/forecast", hours, zone=zone, key=key)


def _request(
    options: ElectricityMapsOptions,
    path: str,
    params: Mapping[str, str],
    *,
    zone: str,
    key: Secret,
) -> HttpRequest:
    return HttpRequest(
        url=f"{options.base_url}/{options.version}/{path}",
        params={
            "zone": zone,
            **params,
            "temporalGranularity": options.granularity,
            **_NO_GUESS[options.version],
        },
        headers={options.key_header: key},
    )


class _Point(Shape):
    at: Instant = Field(validation_alias="datetime")
    intensity: Number | None = Field(None, validation_alias="carbonIntensity")
    method: Any = Field(None, validation_alias="estimationMethod")


class _Answer(Origin):
    points: Annotated[tuple[_Point, ...], Field(max_length=MAX_POINTS)] = Field(
        validation_alias=AliasChoices("forecast", "data")
    )
    updated_at: Instant | None = Field(None, validation_alias="updatedAt")


def parse(body: bytes, fetched_at: datetime) -> Observations:
    """Read an answer: starts of periods, UTC, g/kWh.

    Parameters
    ----------
    body
        As sent.
    fetched_at
        When it came. ``updatedAt`` follows the request, so it says how old
        the forecast is only where it is clearly older than that.

    Raises
    ------
    ForecastError
        If it cannot be read, is empty, or comes from the sandbox.
    """
    answer = read_answer(_Answer, body)
    refuse_sandbox(point.method for point in answer.points)
    if not answer.points:
        raise ForecastUnavailableError(f"no forecast for zone {answer.zone}")
    updated_at = answer.updated_at
    dated = updated_at is not None and fetched_at - updated_at > timedelta(hours=1)
    return Observations(
        series=Series.CARBON,
        place=answer.zone,
        times_us=stamps_us(point.at for point in answer.points),
        values=values_of(point.intensity for point in answer.points),
        unit="g/kWh",
        steps_us=steps_us(len(answer.points), STEPS.get(answer.granularity or "")),
        signal=Signal.AVERAGE,
        issued_at=updated_at if dated else None,
    )

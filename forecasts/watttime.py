"""WattTime: marginal intensity of a balancing region.

The parts of the API that are used are described in docs/providers/watttime.md.
"""

from __future__ import annotations

from datetime import UTC, timedelta
from typing import Annotated, ClassVar

from pydantic import Field

from forecasts.answer_shapes import (
    MAX_POINTS,
    Instant,
    Number,
    Shape,
    stamps_us,
    steps_us,
    values_of,
)
from forecasts.errors import ForecastUnavailableError
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpRequest, one_line
from forecasts.live import BaseUrl, LiveOptions, LiveProvider, zone_of
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Question
from forecasts.series import Series, Signal
from forecasts.watttime_login import Login
from inputs.timegrid import TimeGrid

NAME = "watttime"
MAX_HORIZON_H = 72
_POINT = timedelta(minutes=5)
UNITS = {"lbs_co2_per_mwh": "lb/MWh", "g_co2_per_kwh": "g/kWh"}
"""Units of the service to those of the house; others are refused by name."""

MARGINAL, AVERAGE = "co2_moer", "co2_aoer"
SIGNALS = {MARGINAL: Signal.MARGINAL, AVERAGE: Signal.AVERAGE}


class WattTimeOptions(LiveOptions):
    """Keys of ``[forecasts.carbon]`` for this provider."""

    base_url: BaseUrl = "https://api.watttime.org"


class WattTime(LiveProvider[WattTimeOptions]):
    """Logs in once for all regions, and asks for each."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON})
    Options: ClassVar[type[WattTimeOptions]] = WattTimeOptions
    measured_span: ClassVar[timedelta] = timedelta(days=31)

    def __init__(self, options: WattTimeOptions) -> None:
        super().__init__(options)
        self._login = Login()

    def question(self, request: ForecastRequest) -> Question:
        """Forecast from the running five minutes on."""
        zone, ahead = self._zone(request), request.grid.end - request.now
        http = http_request(self.options, zone=zone, ahead=ahead)
        return self._question(request, zone, http)

    def measured(self, request: ForecastRequest) -> Question:
        """Five minutes each of time that is over; they come late and are revised."""
        zone = self._zone(request)
        http = measured_request(self.options, zone=zone, grid=request.grid)
        return self._question(request, zone, http)

    def _question(
        self, request: ForecastRequest, zone: str, http: HttpRequest
    ) -> Question:
        return Question(
            zone=zone,
            http=http,
            parse=lambda body, _: parse(body),
            send=self._login.sending(http, self.options.base_url, request),
        )

    def _zone(self, request: ForecastRequest) -> str:
        return zone_of(
            request, self.options.zones,
            pattern=r"[A-Z][A-Z0-9_]{1,63}", known="regions such as CAISO_NORTH",
        )  # fmt: skip


def http_request(
    options: WattTimeOptions, *, zone: str, ahead: timedelta
) -> HttpRequest:
    """Request for a forecast that reaches ``ahead`` of now, as far as it may."""
    hours = min(max(-(-ahead // timedelta(hours=1)), 0), MAX_HORIZON_H)
    return HttpRequest(
        url=f"{options.base_url}/v3/forecast",
        params={
            "region": zone,
            "signal_type": MARGINAL,
            "horizon_hours": str(hours),
        },
    )


def measured_request(
    options: WattTimeOptions, *, zone: str, grid: TimeGrid, signal_type: str = MARGINAL
) -> HttpRequest:
    """Request for measured values; the service counts the end in."""
    return HttpRequest(
        url=f"{options.base_url}/v3/historical",
        params={
            "region": zone,
            "signal_type": signal_type,
            "start": grid.start.astimezone(UTC).isoformat(),
            "end": (grid.end.astimezone(UTC) - _POINT).isoformat(),
        },
    )


class _Point(Shape):
    at: Instant = Field(validation_alias="point_time")
    value: Number | None = None


class _Warning(Shape):
    message: str = ""


class _Meta(Shape):
    region: str
    signal_type: str = ""
    units: str = ""
    data_point_period_seconds: Annotated[int, Field(ge=0, le=86_400)] | None = None
    generated_at: Instant | None = None
    warnings: tuple[_Warning | str, ...] | None = None


class _Answer(Shape):
    data: Annotated[tuple[_Point, ...], Field(max_length=MAX_POINTS)]
    meta: _Meta


def parse(body: bytes) -> Observations:
    """Read an answer: starts of periods, in the unit that it declares.

    Raises
    ------
    ForecastError
        If it cannot be read, or is empty.
    """
    answer = read_model(_Answer, read_json(body, source=NAME), source=NAME)
    meta = answer.meta
    if not answer.data:
        raise ForecastUnavailableError(f"no forecast for region {meta.region}")
    seconds = meta.data_point_period_seconds
    step = None if seconds is None else timedelta(seconds=seconds)
    return Observations(
        series=Series.CARBON,
        place=meta.region,
        times_us=stamps_us(point.at for point in answer.data),
        values=values_of(point.value for point in answer.data),
        unit=UNITS.get(meta.units, meta.units),
        steps_us=steps_us(len(answer.data), step),
        signal=SIGNALS.get(meta.signal_type),
        issued_at=meta.generated_at,
        notes=tuple(_told(warning) for warning in meta.warnings or ()),
    )


def _told(warning: _Warning | str) -> str:
    text = warning if isinstance(warning, str) else warning.message
    return f"the service warns: {one_line(text)}"

"""WattTime: marginal intensity of a balancing region.

The parts of the API that are used are described in docs/providers/watttime.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
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
from forecasts.http.errors import KeyRefusedError
from forecasts.http.json_body import read_json, read_model
from forecasts.http.message import HttpAnswer, HttpRequest, one_line
from forecasts.http.secret import Secret, basic, bearer, from_environment
from forecasts.live import BaseUrl, LiveOptions, LiveProvider, zone_of
from forecasts.provider import ForecastRequest, Observations
from forecasts.question import Get, Question
from forecasts.series import Series, Signal
from inputs.timegrid import TimeGrid

NAME = "watttime"
USER, PASSWORD = "WATTTIME_USER", "WATTTIME_PASSWORD"
MAX_HORIZON_H = 72
TOKEN_LIFE = timedelta(minutes=30)
_POINT = timedelta(minutes=5)
UNITS = {"lbs_co2_per_mwh": "lb/MWh", "g_co2_per_kwh": "g/kWh"}
"""Units of the service to those of the house; others are refused by name."""

_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
SIGNALS = {"co2_moer": Signal.MARGINAL, "co2_aoer": Signal.AVERAGE}


class WattTimeOptions(LiveOptions):
    """Keys of ``[forecasts.carbon]`` for this provider."""

    base_url: BaseUrl = "https://api.watttime.org"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    value: Secret
    until: datetime


class WattTime(LiveProvider[WattTimeOptions]):
    """Logs in once for all regions, and asks for each."""

    name: ClassVar[str] = NAME
    series: ClassVar[frozenset[Series]] = frozenset({Series.CARBON})
    Options: ClassVar[type[WattTimeOptions]] = WattTimeOptions
    measured_span: ClassVar[timedelta] = timedelta(days=31)

    def __init__(self, options: WattTimeOptions) -> None:
        super().__init__(options)
        self._token: _Token | None = None

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
        login = login_request(
            self.options,
            user=from_environment(request.environment, USER),
            password=from_environment(request.environment, PASSWORD),
        )
        return Question(
            zone=zone,
            http=http,
            parse=lambda body, _: parse(body),
            send=partial(self._send, http, login, now=request.now),
        )

    def _zone(self, request: ForecastRequest) -> str:
        return zone_of(
            request, self.options.zones,
            pattern=r"[A-Z][A-Z0-9_]{1,63}", known="regions such as CAISO_NORTH",
        )  # fmt: skip

    def _send(
        self,
        http: HttpRequest,
        login: HttpRequest,
        get: Get,
        *,
        now: datetime,
    ) -> HttpAnswer:
        """Ask with the token at hand; if it has run out unseen, with one more."""
        token = self._token
        if token is not None and now < token.until:
            try:
                return get(with_token(http, token.value))
            except KeyRefusedError:
                self._token = None
        self._token = _log_in(login, get=get, now=now)
        return get(with_token(http, self._token.value))


def login_request(
    options: WattTimeOptions, *, user: Secret, password: Secret
) -> HttpRequest:
    """Request for a token."""
    return HttpRequest(
        url=f"{options.base_url}/login",
        headers={"Authorization": basic(user, password)},
        gives_key=True,
    )


def http_request(
    options: WattTimeOptions, *, zone: str, ahead: timedelta
) -> HttpRequest:
    """Request for a forecast that reaches ``ahead`` of now, as far as it may."""
    hours = min(max(-(-ahead // timedelta(hours=1)), 0), MAX_HORIZON_H)
    return HttpRequest(
        url=f"{options.base_url}/v3/forecast",
        params={
            "region": zone,
            "signal_type": "co2_moer",
            "horizon_hours": str(hours),
        },
    )


def measured_request(
    options: WattTimeOptions, *, zone: str, grid: TimeGrid
) -> HttpRequest:
    """Request for measured values; the service counts the end in."""
    return HttpRequest(
        url=f"{options.base_url}/v3/historical",
        params={
            "region": zone,
            "signal_type": "co2_moer",
            "start": grid.start.astimezone(UTC).isoformat(),
            "end": (grid.end.astimezone(UTC) - _POINT).isoformat(),
        },
    )


def with_token(http: HttpRequest, token: Secret) -> HttpRequest:
    """The same request with the token that lets it in."""
    return HttpRequest(
        url=http.url, params=http.params, headers={"Authorization": token}
    )


def _log_in(login: HttpRequest, *, get: Get, now: datetime) -> _Token:
    try:
        answer = get(login)
    except KeyRefusedError as error:
        raise KeyRefusedError(f"{error}; that is {USER} and {PASSWORD}") from None
    # not read_model: its findings would quote the token
    read = read_json(answer.body, source=f"{NAME} login")
    token = read.get("token") if isinstance(read, dict) else None
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        raise ForecastUnavailableError("the login gave no token of any use")
    # a minute early, so that none runs out on the way
    return _Token(value=bearer(token), until=now + TOKEN_LIFE - timedelta(minutes=1))


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

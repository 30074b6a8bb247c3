"""Answers about sun and prices changed at random: read or refused, no traceback."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasts import (
    electricity_maps_price,
    energy_charts_price,
    entsoe,
    forecast_solar,
    open_meteo,
    solcast,
)
from forecasts.bidding_zones import BiddingZone
from forecasts.errors import ForecastError
from forecasts.preparation import prepare
from forecasts.provider import Observations
from forecasts.series import Series
from inputs.settings import ForecastTable
from tests.drivers_live import id_of
from tests.factories_forecast import request_of
from tests.replay_price import EIC, PRICE_SERVICES
from tests.replay_servers import Seen
from tests.replay_services import CANARY, GRID, NOW, Service
from tests.replay_solar import SITE, SOLAR_SERVICES

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
SERVICES = (*SOLAR_SERVICES, *PRICE_SERVICES)
TABLE = ForecastTable(provider="fuzz")
SOLAR = request_of(Series.SOLAR, grid=GRID, now=NOW)
Parse = Callable[[bytes], Observations]
PARSERS: dict[str, Parse] = {
    "open_meteo": partial(
        open_meteo.parse, request=SOLAR, options=open_meteo.OpenMeteoOptions()
    ),
    "forecast_solar": partial(forecast_solar.parse, request=SOLAR),
    "solcast": partial(solcast.parse, place="here"),
    "entsoe": partial(entsoe.parse, zone=BiddingZone(name="DE-LU", eic=EIC), grid=GRID),
    "energy_charts": partial(energy_charts_price.parse, zone="DE-LU", grid=GRID),
    "electricity_maps": partial(electricity_maps_price.parse, grid=GRID),
}
PATHS = {
    "open_meteo": "/v1/forecast",
    "forecast_solar": "/estimate/52.5000/13.4000/35/0/100",
    "solcast": f"/rooftop_sites/{SITE}/forecasts",
    "entsoe": "/api",
    "energy_charts": "/price",
    "electricity_maps": "/v4/price-day-ahead/forecast",
}
QUERIES = {
    "open_meteo": {"hourly": "", "start_date": "2026-11-22", "end_date": "2026-11-22"},
    "forecast_solar": {"time": "utc"},
    "solcast": {"hours": "20"},
    "entsoe": {
        "securityToken": CANARY, "documentType": "A44", "in_Domain": EIC,
        "periodStart": "202611220000", "periodEnd": "202611230000",
    },
    "energy_charts": {
        "bzn": "DE-LU", "start": str(GRID.start_us // 10**6),
        "end": str(GRID.start_us // 10**6 + 20_000),
    },
    "electricity_maps": {
        "zone": "DE", "start": "2026-11-22T00:00Z", "end": "2026-11-22T20:00Z",
    },
}  # fmt: skip
HEADERS = {"auth-token": CANARY, "authorization": f"Bearer {CANARY}"}
TOKEN = re.compile(rb'"[^"]*"|<[^>]*>|[^<>"{}\[\],:\s]+|[{}\[\],:]')
"""Strings, tags, numbers and brackets of JSON and XML alike."""

ODD = st.one_of(
    st.sampled_from(
        [b"null", b"true", b"-1", b"1e400", b"NaN", b'""', b"{}", b"[]", b"",
         b'"9999-12-31T23:59:59.9999999Z"', b'"0001-01-01T00:00:00+14:00"',
         b'"2026-11-22T00:00"', b"9" * 30, b"1e308", b"PT99999999M", b"P1Y", b"0",
         b"<Period>", b"</Period>", b"<!DOCTYPE x>", b"&lt;", b"<![CDATA[1]]>",
         b"2026-11-22T00:00Z", b"1", b"97"]
    ),
    st.binary(max_size=6),
)  # fmt: skip


def good_answer(service: Service) -> bytes:
    seen = Seen(PATHS[service.name], QUERIES[service.name], HEADERS)
    reply = service.answer()(seen)
    assert reply.status == 200
    return reply.data


def read(service: Service, body: bytes) -> None:
    """Parse and prepare as a nightly run does; only a ``ForecastError`` may end it."""
    request = request_of(service.series, grid=GRID, now=NOW)
    try:
        observations = PARSERS[service.name](body)
        here = replace(observations, place=request.region.name)
        prepare(here, request, table=TABLE, provider="fuzz")
    except ForecastError:
        return


@pytest.mark.parametrize("service", SERVICES, ids=id_of)
def test_good_answer_is_read(service: Service) -> None:
    assert len(PARSERS[service.name](good_answer(service)).values) > 5


@pytest.mark.parametrize("service", SERVICES, ids=id_of)
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_changed_answer_is_read_or_refused(
    service: Service, data: st.DataObject
) -> None:
    body = good_answer(service)
    for _ in range(data.draw(st.integers(1, 3))):
        spans = [match.span() for match in TOKEN.finditer(body)]
        if not spans:
            break
        start, end = data.draw(st.sampled_from(spans))
        how = data.draw(st.sampled_from(["odd", "drop", "repeat", "cut"]))
        part = {
            "odd": data.draw(ODD),
            "drop": b"",
            "repeat": body[start:end] * 2,
            "cut": b"",
        }[how]
        body = body[:start] + part + (b"" if how == "cut" else body[end:])
    read(service, body)


@pytest.mark.parametrize("service", SERVICES, ids=id_of)
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_bytes_are_read_or_refused(
    service: Service, data: st.DataObject
) -> None:
    body = bytearray(good_answer(service))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
        if not body:
            break
    read(service, bytes(body))

"""Every parser of live answers, a good answer for each, and how to damage it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random

from forecasts import carbon_aware_data as sdk_data
from forecasts import carbon_aware_sdk as sdk
from forecasts import (
    electricity_maps,
    electricity_maps_price,
    energy_charts,
    energy_charts_price,
    entsoe,
    entsoe_generation,
    forecast_solar,
    open_meteo,
    solcast,
    uk_carbon_intensity,
    watttime,
    watttime_average,
)
from forecasts.bidding_zones import BiddingZone
from forecasts.emission_factors import factors_of
from forecasts.errors import ForecastError
from forecasts.http.answers import KeptAnswer
from forecasts.http.message import HttpRequest
from forecasts.intervals import arrange
from forecasts.measured import read_measured
from forecasts.measured_file import add_measured
from forecasts.preparation import prepare
from forecasts.provider import Observations
from forecasts.question import Question
from forecasts.series import Forecast, Series, Signal
from inputs.settings import ForecastTable
from inputs.timegrid import TimeGrid
from tests.damage import damaged_json, damaged_tokens
from tests.drivers_live import EVERY, id_of
from tests.factories_forecast import request_of
from tests.replay_measured import PAST_ONLY, remembering
from tests.replay_price import EIC
from tests.replay_servers import Seen
from tests.replay_services import CANARY, GRID, NOW, SERVICES, TOKEN
from tests.replay_solar import SITE

Parse = Callable[[bytes], Observations]
SOLAR = request_of(Series.SOLAR, grid=GRID, now=NOW)
TABLE = ForecastTable(provider="fuzz")
START_S = GRID.start_us // 10**6
WINDOW = "/intensity/2026-11-22T00:00Z/2026-11-22T05:00Z"
DATA_FILE = {
    "GeneratedAt": "2026-11-21T18:00:00Z",
    "Emissions": [
        {"Location": "eastus", "Time": f"2026-11-22T{hour:02}:00:00+00:00",
         "Rating": str(300 + hour), "Duration": "01:00:00"}
        for hour in range(24)
    ],
}  # fmt: skip


@dataclass(frozen=True)
class Parser:
    """One parser, and the request to whose replayed answer damage is done.

    Parameters
    ----------
    series
        What it speaks about.
    parse
        From the bytes alone.
    path, query
        A request whose answer is short.
    bearer
        Token that is sent with it.
    """

    series: Series
    parse: Parse
    path: str
    query: dict[str, str]
    bearer: str = CANARY


LIVE: dict[str, Parser] = {
    "carbon-electricity_maps-DE": Parser(
        Series.CARBON,
        partial(electricity_maps.parse, fetched_at=NOW),
        "/v4/carbon-intensity/forecast",
        {"zone": "DE", "horizonHours": "6", "temporalGranularity": "hourly"},
    ),
    "carbon-watttime-CAISO_NORTH": Parser(
        Series.CARBON,
        watttime.parse,
        "/v3/forecast",
        {"region": "CAISO_NORTH", "signal_type": "co2_moer", "horizon_hours": "1"},
        bearer=TOKEN,
    ),
    "carbon-uk_carbon_intensity-GB": Parser(
        Series.CARBON, partial(uk_carbon_intensity.parse, zone="GB"), WINDOW, {}
    ),
    "carbon-uk_carbon_intensity-GB-13": Parser(
        Series.CARBON,
        partial(uk_carbon_intensity.parse, zone="GB-13"),
        f"/regional{WINDOW}/regionid/13",
        {},
    ),
    "carbon-energy_charts-DE": Parser(
        Series.CARBON,
        partial(energy_charts.parse, zone="DE"),
        "/co2eq",
        {"start": str(START_S), "end": str(START_S + 7200)},
    ),
    "carbon-carbon_aware_sdk-eastus": Parser(
        Series.CARBON,
        partial(sdk.parse, signal=Signal.MARGINAL),
        "/emissions/forecasts/current",
        {"location": "eastus"},
    ),
    "solar-open_meteo-DE": Parser(
        Series.SOLAR,
        partial(
            open_meteo.parse, request=SOLAR, options=open_meteo.OpenMeteoOptions()
        ),
        "/v1/forecast",
        {"hourly": "", "start_date": "2026-11-22", "end_date": "2026-11-22"},
    ),
    "solar-forecast_solar-DE": Parser(
        Series.SOLAR,
        partial(forecast_solar.parse, request=SOLAR),
        "/estimate/52.5000/13.4000/35/0/100",
        {"time": "utc"},
    ),
    "solar-solcast-DE": Parser(
        Series.SOLAR,
        partial(solcast.parse, place="here"),
        f"/rooftop_sites/{SITE}/forecasts",
        {"hours": "20"},
    ),
    "price-entsoe-DE-LU": Parser(
        Series.PRICE,
        partial(entsoe.parse, zone=BiddingZone(name="DE-LU", eic=EIC), grid=GRID),
        "/api",
        {
            "securityToken": CANARY, "documentType": "A44", "in_Domain": EIC,
            "periodStart": "202611220000", "periodEnd": "202611230000",
        },
    ),
    "price-energy_charts-DE-LU": Parser(
        Series.PRICE,
        partial(energy_charts_price.parse, zone="DE-LU", grid=GRID),
        "/price",
        {"bzn": "DE-LU", "start": str(START_S), "end": str(START_S + 20_000)},
    ),
    "price-electricity_maps-DE": Parser(
        Series.PRICE,
        partial(electricity_maps_price.parse, grid=GRID),
        "/v4/price-day-ahead/forecast",
        {"zone": "DE", "start": "2026-11-22T00:00Z", "end": "2026-11-22T20:00Z"},
    ),
}  # fmt: skip
EIC_GENERATION = {
    "securityToken": CANARY, "documentType": "A75", "in_Domain": EIC,
    "periodStart": "202611220000", "periodEnd": "202611220800",
}  # fmt: skip
PAST: dict[str, Parser] = {
    "carbon-entsoe_generation": Parser(
        Series.CARBON,
        partial(
            entsoe_generation.parse,
            zone=BiddingZone(name="DE-LU", eic=EIC),
            factors=factors_of(Path("/nowhere"), None),
        ),
        "/api",
        EIC_GENERATION,
    ),
    "carbon-watttime_average": Parser(
        Series.CARBON,
        watttime_average.parse_average,
        "/v3/historical",
        {
            "region": "CAISO", "signal_type": "co2_aoer",
            "start": "2026-11-22T00:00+00:00", "end": "2026-11-22T08:00+00:00",
        },
        bearer=TOKEN,
    ),
    "carbon-carbon_aware_sdk": Parser(
        Series.CARBON,
        partial(sdk_data.parse_measured, zone="eastus", signal=Signal.AVERAGE),
        "/emissions/bylocation",
        {
            "location": "eastus",
            "time": "2026-11-22T00:00+00:00", "toTime": "2026-11-22T08:00+00:00",
        },
    ),
}  # fmt: skip
"""Parsers of answers about the past that no forecast shares."""

DATA_FILE_PARSER = "carbon-carbon_aware_sdk-file"
PARSERS: dict[str, tuple[Series, Parse]] = {
    **{name: (p.series, p.parse) for name, p in {**LIVE, **PAST}.items()},
    DATA_FILE_PARSER: (
        Series.CARBON,
        partial(
            sdk_data.parse_file, zone="eastus", signal=Signal.AVERAGE, timezone="UTC"
        ),
    ),
}


@cache
def good_answer(name: str) -> bytes:
    """Answer or file that a parser reads without complaint."""
    if name == DATA_FILE_PARSER:
        return json.dumps(DATA_FILE).encode()
    parser = {**LIVE, **PAST}[name]
    if name in PAST:
        service = next(s for s in (*SERVICES, *PAST_ONLY) if name.endswith(s.name))
        answer = remembering(service, GRID.end)
    else:
        answer = next(service.answer() for service in EVERY if id_of(service) == name)
    headers = {"auth-token": CANARY, "authorization": f"Bearer {parser.bearer}"}
    reply = answer(Seen(parser.path, parser.query, headers))
    assert reply.status == 200
    if name != "carbon-carbon_aware_sdk-eastus":
        return reply.data
    told = json.loads(reply.data)
    del told[0]["forecastData"][24:]
    return json.dumps(told).encode()


def damaged(name: str, rng: Random) -> bytes:
    """Good answer of a parser with something wrong."""
    body = good_answer(name)
    if body.startswith(b"<") or rng.randrange(2):
        return damaged_tokens(rng, body)
    return damaged_json(rng, body.decode())


@cache
def covered(name: str) -> TimeGrid:
    """Quarters of an hour that the good answer tells, so that damage alone decides."""
    series, parse = PARSERS[name]
    told = arrange(parse(good_answer(name)), request_of(series, grid=GRID, now=NOW))
    step = timedelta(minutes=15)
    step_us = step // timedelta(microseconds=1)
    first = -(-int(told.starts_us[0]) // step_us)
    end = int(told.starts_us[-1] + told.steps_us[-1]) // step_us
    start = datetime.fromtimestamp(0, tz=UTC) + first * step
    return TimeGrid(
        date=start.date(), timezone="UTC", start=start, step=step, n_slots=end - first
    )


def forecast_from(name: str, body: bytes) -> Forecast:
    """Parse and prepare as a nightly run does.

    Raises
    ------
    ForecastError
        If the answer is refused.
    """
    series, parse = PARSERS[name]
    request = request_of(series, grid=covered(name), now=NOW)
    observations = replace(parse(body), place=request.region.name)
    return prepare(observations, request, table=TABLE, provider="fuzz")


def read(name: str, body: bytes) -> None:
    """Only a ``ForecastError`` may end it."""
    try:
        forecast_from(name, body)
    except ForecastError:
        return


def collect(path: Path, name: str, body: bytes) -> None:
    """Read as values of the past and put into a file; refused or kept as a whole."""
    series, parse = PARSERS[name]
    zone = "here"
    question = Question(
        zone=zone,
        http=HttpRequest(url="http://127.0.0.1"),
        parse=lambda told, _: replace(parse(told), place=zone),
    )
    request = request_of(series, grid=GRID, now=GRID.end)
    answer = KeptAnswer(body=body, fetched_at=GRID.end)
    try:
        add_measured(path, read_measured(question, answer, request), zone=zone)
    except ForecastError:
        return

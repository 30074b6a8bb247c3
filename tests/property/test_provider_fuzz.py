"""Answers and files changed at random: read, degraded or refused, never a traceback.

The suite tries a few hundred for each parser, ``make soak`` 200,000; another number is
``FUZZ_EXAMPLES``.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasts import carbon_aware_sdk as sdk
from forecasts import electricity_maps, energy_charts, uk_carbon_intensity, watttime
from forecasts.errors import ForecastError
from forecasts.file import File, FileOptions
from forecasts.preparation import prepare
from forecasts.provider import Observations
from forecasts.series import Signal
from inputs.settings import ForecastTable
from tests.damage import damaged_csv, damaged_json
from tests.factories_forecast import carbon_csv, day_values, request_of
from tests.replay_servers import Seen
from tests.replay_services import CANARY, GRID, NOW, SERVICES, TOKEN, Service

FEW = int(os.environ.get("FUZZ_EXAMPLES", "300"))
MANY = int(os.environ.get("FUZZ_EXAMPLES", "200000"))
Parse = Callable[[bytes], Observations]
TABLE = ForecastTable(provider="fuzz")
DATA_FILE = {
    "GeneratedAt": "2026-11-21T18:00:00Z",
    "Emissions": [
        {"Location": "eastus", "Time": f"2026-11-22T{hour:02}:00:00+00:00",
         "Rating": str(300 + hour), "Duration": "01:00:00"}
        for hour in range(24)
    ],
}  # fmt: skip
PARSERS: dict[str, Parse] = {
    "electricity_maps-DE": partial(electricity_maps.parse, fetched_at=NOW),
    "watttime-CAISO_NORTH": watttime.parse,
    "uk_carbon_intensity-GB": partial(uk_carbon_intensity.parse, zone="GB"),
    "uk_carbon_intensity-GB-13": partial(uk_carbon_intensity.parse, zone="GB-13"),
    "energy_charts-DE": partial(energy_charts.parse, zone="DE"),
    "carbon_aware_sdk-eastus": partial(sdk.parse, signal=Signal.MARGINAL),
    "carbon_aware_sdk-file": partial(
        sdk.parse_file, zone="eastus", signal=Signal.AVERAGE, timezone="UTC"
    ),
}


def answer_of(service: Service) -> Any:
    """Short answer of a service, as parsed JSON."""
    window = "/intensity/2026-11-22T00:00Z/2026-11-22T05:00Z"
    part = f"/regional{window}/regionid/13"
    path = {
        "electricity_maps": "/v4/carbon-intensity/forecast",
        "watttime": "/v3/forecast",
        "uk_carbon_intensity": part if "-" in service.zone else window,
        "energy_charts": "/co2eq",
        "carbon_aware_sdk": "/emissions/forecasts/current",
    }[service.name]
    query = {
        "zone": "DE", "horizonHours": "6", "temporalGranularity": "hourly",
        "region": service.zone, "signal_type": "co2_moer", "horizon_hours": "1",
        "start": str(GRID.start_us // 10**6), "end": str(GRID.start_us // 10**6 + 7200),
        "location": service.zone,
    }  # fmt: skip
    headers = {"auth-token": CANARY, "authorization": f"Bearer {TOKEN}"}
    answer = json.loads(service.answer()(Seen(path, query, headers)).data)
    if service.name == "carbon_aware_sdk":
        del answer[0]["forecastData"][24:]
    return answer


@cache
def good_text(name: str) -> str:
    """Answer or file that a parser reads without complaint."""
    answers = {f"{s.name}-{s.zone}": partial(answer_of, s) for s in SERVICES}
    answer = DATA_FILE if name == "carbon_aware_sdk-file" else answers[name]()
    return json.dumps(answer)


def read(parse: Parse, body: bytes) -> None:
    """Parse and prepare as a nightly run does; only a ``ForecastError`` may end it."""
    request = request_of(grid=GRID, now=NOW)
    try:
        observations = replace(parse(body), place=request.region.name)
        prepare(observations, request, table=TABLE, provider="fuzz")
    except ForecastError:
        return


def fuzzed(examples: int) -> Callable[[Any], Any]:
    """As many inputs for a test with ``data``, the same ones each time."""
    chosen = settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    return lambda test: chosen(given(data=st.data())(test))


def read_damaged(name: str, data: st.DataObject) -> None:
    read(PARSERS[name], data.draw(damaged_json(good_text(name))))


def read_damaged_file(root: Path, data: st.DataObject) -> None:
    text = carbon_csv(root / "good.csv", day_values()).read_text()
    (root / "c.csv").write_bytes(data.draw(damaged_csv(text)))
    request = request_of(grid=GRID, now=NOW, root=root)
    try:
        observations = File(FileOptions(path="c.csv")).fetch(request)
        prepare(observations, request, table=TABLE, provider="file")
    except ForecastError:
        return


@pytest.mark.parametrize("name", PARSERS)
def test_good_answer_is_read(name: str) -> None:
    assert len(PARSERS[name](good_text(name).encode()).values) >= 7


@pytest.mark.parametrize("name", PARSERS)
@fuzzed(FEW)
def test_damaged_answer_is_read_or_refused(name: str, data: st.DataObject) -> None:
    read_damaged(name, data)


@fuzzed(FEW)
def test_damaged_forecast_file_is_read_or_refused(
    tmp_path: Path, data: st.DataObject
) -> None:
    read_damaged_file(tmp_path, data)


@pytest.mark.slow
@pytest.mark.parametrize("name", PARSERS)
@fuzzed(MANY)
def test_200_000_damaged_answers_are_read_or_refused(
    name: str, data: st.DataObject
) -> None:
    read_damaged(name, data)


@pytest.mark.slow
@fuzzed(MANY)
def test_200_000_damaged_forecast_files_are_read_or_refused(
    tmp_path: Path, data: st.DataObject
) -> None:
    read_damaged_file(tmp_path, data)

"""Answers changed at random: read, degraded or refused, never a traceback."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecasts import carbon_aware_sdk as sdk
from forecasts import electricity_maps, energy_charts, uk_carbon_intensity, watttime
from forecasts.errors import ForecastError
from forecasts.preparation import prepare
from forecasts.provider import Observations
from forecasts.series import Signal
from inputs.settings import ForecastTable
from tests.factories_forecast import request_of
from tests.replay_servers import Seen
from tests.replay_services import CANARY, GRID, NOW, SERVICES, TOKEN, Service

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
Parse = Callable[[bytes], Observations]
TABLE = ForecastTable(provider="fuzz")
PARSERS: dict[str, Parse] = {
    "electricity_maps-DE": partial(electricity_maps.parse, fetched_at=NOW),
    "watttime-CAISO_NORTH": watttime.parse,
    "uk_carbon_intensity-GB": partial(uk_carbon_intensity.parse, zone="GB"),
    "uk_carbon_intensity-GB-13": partial(uk_carbon_intensity.parse, zone="GB-13"),
    "energy_charts-DE": partial(energy_charts.parse, zone="DE"),
    "carbon_aware_sdk-eastus": partial(sdk.parse, signal=Signal.MARGINAL),
}
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.text(max_size=8),
    st.sampled_from(
        ["2026-11-22T00:00Z", "2026-11-22T00:00", "9999-12-31T23:59:59Z",
         "0001-01-01T00:00:00Z", "-1", "1e400", "24:00", 1e308,
         10**400, -1, [], {}, [[]]]
    ),
)  # fmt: skip


def good_answer(service: Service) -> Any:
    """Short answer of a service, as parsed JSON."""
    window = "/intensity/2026-11-22T00:00Z/2026-11-22T05:00Z"
    path = {
        "electricity_maps": "/v4/carbon-intensity/forecast",
        "watttime": "/v3/forecast",
        "uk_carbon_intensity": f"/regional{window}/regionid/13",
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


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    keys = (
        value.keys() if isinstance(value, dict)
        else range(min(len(value), 3)) if isinstance(value, list)
        else ()
    )  # fmt: skip
    below = [p for key in keys for p in places(value[key], (*path, key))]
    return [path, *below] if path else below


def with_odd(value: Any, path: tuple[Any, ...], odd: Any, how: str) -> Any:
    changed = deepcopy(value)
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    if how == "drop":
        del holder[path[-1]]
    elif how == "repeat" and isinstance(holder, list):
        holder.extend([deepcopy(holder[path[-1]])] * 3)
    else:
        holder[path[-1]] = odd
    return changed


def read(parse: Parse, body: bytes) -> None:
    """Parse and prepare as a nightly run does; only a ``ForecastError`` may end it."""
    request = request_of(grid=GRID, now=NOW)
    try:
        observations = replace(parse(body), place=request.region.name)
        prepare(observations, request, table=TABLE, provider="fuzz")
    except ForecastError:
        return


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: f"{s.name}-{s.zone}")
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(data=st.data())
def test_changed_answer_is_read_or_refused(service: Service, data: Any) -> None:
    good = good_answer(service)
    every = places(good)
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(every))
        how = data.draw(st.sampled_from(["odd", "drop", "repeat"]))
        try:
            good = with_odd(good, path, data.draw(ODD), how)
        except (KeyError, IndexError, TypeError):
            break
    body = json.dumps(good).encode()
    read(PARSERS[f"{service.name}-{service.zone}"], body)


@pytest.mark.parametrize("service", SERVICES, ids=lambda s: f"{s.name}-{s.zone}")
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(data=st.data())
def test_damaged_bytes_are_read_or_refused(service: Service, data: Any) -> None:
    body = bytearray(json.dumps(good_answer(service)).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(body) - 1))
        body[at : at + data.draw(st.integers(0, 5))] = data.draw(st.binary(max_size=5))
        if not body:
            break
    read(PARSERS[f"{service.name}-{service.zone}"], bytes(body))

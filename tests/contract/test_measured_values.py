"""What services measured: collected for forecasters, and shown on a day half over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from forecasts import gather
from forecasts.collecting import PastFetched, collect_past
from forecasts.http.errors import HttpError
from forecasts.http.limits import Limits
from forecasts.http.message import HttpRequest
from forecasts.series import Quality, Series
from inputs.settings import Workspace
from tests.drivers_live import (
    DAY,
    EVERY,
    Night,
    client_of,
    id_of,
    texts_below,
)
from tests.factories_forecast import grid_of, region_of, workspace_of
from tests.replay_generation import FACTORS, measured_at
from tests.replay_measured import PAST_ONLY, remembering
from tests.replay_servers import (
    Fault,
    Handler,
    ReplayServer,
    Reply,
    drip_body,
    hang,
    page,
    replying,
    reset,
    serving,
)
from tests.replay_services import CANARY, GRID, TOKEN, Service

NOON = GRID.start + timedelta(hours=12)
"""A clock at which half of the day is over."""

KEEPERS = [
    *(s for s in EVERY if s.series is not Series.SOLAR and s.zone != "GB-13"),
    *PAST_ONLY,
]
CARBON = [s for s in KEEPERS if s.series is Series.CARBON]
AHEAD_ONLY = [
    s for s in CARBON if s.name in ("electricity_maps", "watttime", "carbon_aware_sdk")
]
"""Those whose forecasts begin with the hour that runs."""

of = pytest.mark.parametrize


@pytest.fixture
def server(service: Service) -> Iterator[ReplayServer]:
    with serving(remembering(service, NOON)) as one:
        yield one


def workspace_with(root: Path, service: Service, url: str, **own: Any) -> Workspace:
    keys = {"base_url": url, **service.options, **own}
    table = {"provider": service.name, **keys}
    if service in PAST_ONLY:
        past = [service.name]
        table = {"provider": "typical", "past": past, service.name: keys}
        root.mkdir(parents=True, exist_ok=True)
        (root / "factors.csv").write_text(FACTORS)
    return workspace_of(
        root,
        region_of(zone=service.zone),
        forecasts={"carbon": {"provider": "typical"}, service.series.value: table},
    )


def collected(
    workspace: Workspace, service: Service, days: int = 30, **own: Any
) -> PastFetched:
    client = client_of(now=NOON, environment=service.environment, **own)
    (only,) = collect_past(
        workspace, GRID, days=days, now=NOON,
        environment=service.environment, http=client,
    )  # fmt: skip
    return only


def rows_of(root: Path, service: Service) -> dict[str, list[Any]]:
    name = f"{service.name}.{service.series.value}.parquet"
    path = root / "outputs" / "forecasts" / "measured" / name
    found: dict[str, list[Any]] = pq.read_table(path).to_pydict()
    return found


@of("service", KEEPERS, indirect=True, ids=id_of)
def test_thirty_days_are_collected_in_parts_that_the_service_allows(
    tmp_path: Path, service: Service, server: ReplayServer
) -> None:
    one = collected(workspace_with(tmp_path, service, server.url), service)
    assert one.failure is None
    rows = rows_of(tmp_path, service)
    assert rows["start"] == sorted(set(rows["start"]))
    assert rows["start"][0] == GRID.start - timedelta(days=30)
    assert timedelta(0) <= NOON - rows["end"][-1] <= timedelta(hours=1)
    assert set(np.diff(rows["start"])) == {rows["end"][0] - rows["start"][0]}
    assert one.held is not None
    assert one.held.added == one.held.values == len(rows["start"])
    assert {s.path for s in server.seen if "login" not in s.path}


@of("service", CARBON, indirect=True, ids=id_of)
def test_collected_values_are_what_was_measured_and_not_what_was_forecast(
    tmp_path: Path, service: Service, server: ReplayServer
) -> None:
    workspace = workspace_with(tmp_path, service, server.url)
    collected(workspace, service, days=1)
    rows = rows_of(tmp_path, service)
    scale = 0.45359237 if service.name.startswith("watttime") else 1.0
    wanted = [measured_at(at) for at in rows["start"]]
    assert np.array(rows["value"]) * scale == pytest.approx(wanted, rel=1e-12)
    assert service.signal is not None
    assert set(rows["signal"]) == {service.signal.value}
    estimated = service.name == "entsoe_generation"
    assert all((how is not None) == estimated for how in rows["estimated"])


@of("service", CARBON, indirect=True, ids=id_of)
def test_collected_file_serves_a_forecaster_of_our_own(
    tmp_path: Path, service: Service, server: ReplayServer
) -> None:
    collected(workspace_with(tmp_path, service, server.url), service, days=3)
    history = f"outputs/forecasts/measured/{service.name}.carbon.parquet"
    own = {"provider": "yesterday", "history": history}
    workspace = workspace_of(
        tmp_path, region_of(zone="my-own-name"), forecasts={"carbon": own}
    )
    tomorrow = grid_of(GRID.date + timedelta(days=1))
    told = gather(workspace, tomorrow, now=NOON, environment={}).carbon[0]
    today = tomorrow.start - timedelta(days=1)
    wanted = measured_at(today + timedelta(hours=3))
    assert told.values[3] == pytest.approx(wanted)
    assert not told.degraded
    estimated = any("values are estimated: generation" in n for n in told.notes)
    assert estimated == (service.name == "entsoe_generation")


@of("service", CARBON[:1], indirect=True, ids=id_of)
def test_second_collection_replaces_what_was_revised_and_adds_what_is_new(
    tmp_path: Path, service: Service, server: ReplayServer
) -> None:
    workspace = workspace_with(tmp_path, service, server.url)
    collected(workspace, service, days=3)
    server.answer_with(remembering(service, NOON, scale=1.1))
    again = collected(workspace, service, days=1)
    assert again.held is not None
    assert (again.held.added, again.held.values) == (0, 84)
    rows = rows_of(tmp_path, service)
    was = np.array([measured_at(at) for at in rows["start"]])
    revised = np.array(rows["start"]) >= GRID.start - timedelta(days=1)
    assert rows["value"] == pytest.approx(np.where(revised, 1.1 * was, was))


@of("service", CARBON[:1], indirect=True, ids=id_of)
def test_region_whose_zone_changed_loses_the_values_of_the_other_grid(
    tmp_path: Path, service: Service, server: ReplayServer
) -> None:
    collected(workspace_with(tmp_path, service, server.url), service, days=3)
    other = replace(service, zone="FR")
    one = collected(workspace_with(tmp_path, other, server.url), other, days=1)
    assert one.held is not None
    assert one.held.values == len(rows_of(tmp_path, service)["start"]) == 36


@of("service", CARBON[:1], indirect=True, ids=id_of)
def test_part_that_fails_is_told_and_the_newer_parts_are_kept(
    tmp_path: Path, service: Service, server: ReplayServer
) -> None:
    workspace = workspace_with(tmp_path, service, server.url)
    good = remembering(service, NOON)

    def tired(seen: Any) -> Any:
        return good(seen) if len(server.seen) == 1 else replying_401(seen)

    server.answer_with(tired)
    one = collected(workspace, service)
    assert one.failure is not None
    assert "check the key" in one.failure
    assert CANARY not in one.failure
    assert one.held is not None
    assert one.held.values == 240


def replying_401(seen: Any) -> Any:
    return Reply({"error": f"Request unauthorized for {CANARY}"}, 401)


@of("scale", [0.0, float("nan")])
@of("service", CARBON, indirect=True, ids=id_of)
def test_zeros_and_holes_are_not_collected_as_clean_power(
    tmp_path: Path, service: Service, server: ReplayServer, scale: float
) -> None:
    server.answer_with(remembering(service, NOON, scale=scale))
    one = collected(workspace_with(tmp_path, service, server.url), service, days=2)
    assert one.held is None
    assert one.failure is not None
    damaged = "'nan'" if service.name == "entsoe_generation" else "NaN is not JSON"
    assert ("no data" if scale == 0 else damaged) in one.failure
    assert not list(tmp_path.rglob("*.parquet"))


@of("service", CARBON[:1], indirect=True, ids=id_of)
def test_damaged_file_is_named_and_left_as_it_is(
    tmp_path: Path, service: Service, server: ReplayServer
) -> None:
    workspace = workspace_with(tmp_path, service, server.url)
    collected(workspace, service, days=1)
    (path,) = tmp_path.rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    before = path.read_bytes()
    one = collected(workspace, service, days=1)
    assert one.failure is not None
    assert "electricity_maps.carbon.parquet in measured/ is damaged" in one.failure
    assert path.read_bytes() == before


@of("service", [s for s in EVERY if s.zone == "GB-13"], indirect=True, ids=id_of)
def test_region_of_which_nothing_was_measured_is_passed_over(
    tmp_path: Path, service: Service, server: ReplayServer
) -> None:
    workspace = workspace_with(tmp_path, service, server.url)
    client = client_of(now=NOON)
    assert collect_past(workspace, GRID, days=3, now=NOON, http=client) == ()
    assert not server.seen


# A day that has begun


@pytest.fixture
def night(tmp_path: Path, service: Service, server: ReplayServer) -> Night:
    return Night(tmp_path, service, server.url)


@of("service", AHEAD_ONLY, indirect=True, ids=id_of)
def test_hours_that_are_over_hold_what_was_measured(
    night: Night, server: ReplayServer
) -> None:
    forecast = night.forecast(now=NOON)
    known = 11 if night.service.name == "watttime" else 12  # it publishes late
    wanted = [measured_at(GRID.start + timedelta(hours=h)) for h in range(known)]
    assert forecast.values[:known] == pytest.approx(wanted, rel=1e-12)
    assert forecast.values[12:] == pytest.approx(DAY[12:], rel=1e-12)
    assert (forecast.quality[:known] == Quality.PROVIDED).all()
    assert not forecast.degraded
    asked = len(server.seen)
    night.forecast(now=NOON + timedelta(minutes=5))
    assert len(server.seen) == asked


def only_past(fault: Fault, answer: Any) -> Fault:
    """Misbehaves about the past alone."""

    def chosen(handler: Handler) -> None:
        past = ("past-range", "historical", "bylocation")
        if any(word in handler.path for word in past):
            fault(handler)
        else:
            handler.send(answer(handler.server.seen[-1]))

    return chosen


FAULTS = [
    hang, drip_body, reset, page("text/html"), replying(500), replying(403),
    replying(429, headers={"Retry-After": "3600"}), replying(200, {}),
    replying(200, b"["), replying(204, b""),
]  # fmt: skip


@of("fault", FAULTS, ids=range(len(FAULTS)))
@of("service", AHEAD_ONLY, indirect=True, ids=id_of)
def test_past_that_cannot_be_had_harms_no_forecast(
    night: Night, server: ReplayServer, fault: Fault
) -> None:
    good = remembering(night.service, NOON)
    server.misbehave(forever=only_past(fault, good))
    limits = Limits(connect_s=1.0, answer_s=3.0, total_s=3.0)
    begun = time.monotonic()
    forecast = night.forecast(now=NOON, limits=limits)
    assert time.monotonic() - begun < limits.total_s
    assert forecast.provider == night.service.name
    assert not forecast.degraded
    assert forecast.values[12:] == pytest.approx(DAY[12:], rel=1e-12)
    assert (forecast.quality[:12] == Quality.FILLED).all()
    assert not night.waits.slept
    seen = len(server.seen)
    hour_later = NOON + timedelta(hours=1)
    good = remembering(night.service, hour_later)
    server.misbehave(forever=only_past(fault, good))
    later = night.forecast(now=hour_later, limits=limits)
    assert not later.degraded
    assert len(server.seen) > seen  # the host does not rest
    secrets = (CANARY.encode(), TOKEN.encode())
    assert not any(secret in texts_below(night.root) for secret in secrets)


def test_one_failed_extra_is_the_last_of_a_run(tmp_path: Path) -> None:
    service = AHEAD_ONLY[0]
    with ExitStack() as stack:
        server = stack.enter_context(serving(remembering(service, NOON)))
        good = remembering(service, NOON)
        server.misbehave(forever=only_past(replying(500), good))
        table = {"provider": service.name, "base_url": server.url}
        regions = [region_of(name, zone=zone) for name, zone in zip(
            "abc", ("DE", "FR", "SE"), strict=True)]  # fmt: skip
        workspace = workspace_of(tmp_path, *regions, forecasts={"carbon": table})
        client = client_of(now=NOON, environment=service.environment)
        found = gather(
            workspace, GRID, now=NOON, environment=service.environment, http=client
        )
    assert not found.degraded
    asked = [seen.path.rsplit("/", 1)[1] for seen in server.seen]
    assert asked.count("past-range") == 1
    assert asked.count("forecast") == 3


def test_extras_take_a_sixth_of_the_time_for_a_host_at_most(tmp_path: Path) -> None:
    service = AHEAD_ONLY[0]
    with serving(remembering(service, NOON)) as server:
        server.misbehave(forever=hang)
        client = client_of(now=NOON, limits=Limits(answer_s=5.0, total_s=1.2))
        begun = time.monotonic()
        with pytest.raises(HttpError):
            client.get_if_easy(HttpRequest(url=server.url))
        assert 0.1 < time.monotonic() - begun < 0.6
        server.misbehave()
        key = {"auth-token": CANARY}
        query = {"zone": "DE", "horizonHours": "6", "temporalGranularity": "hourly"}
        url = f"{server.url}/v4/carbon-intensity/forecast"
        asked = HttpRequest(url=url, params=query, headers=key)
        assert client.get(asked).status == 200


@of("service", CARBON[:1], indirect=True, ids=id_of)
def test_single_zero_between_large_values_is_not_collected(
    tmp_path: Path, service: Service, server: ReplayServer
) -> None:
    good = remembering(service, NOON)

    def lying(seen: Any) -> Reply:
        body = good(seen).body
        body["data"][5]["carbonIntensity"] = 0
        return Reply(body)

    server.answer_with(lying)
    collected(workspace_with(tmp_path, service, server.url), service, days=1)
    rows = rows_of(tmp_path, service)
    assert len(rows["value"]) == 35
    assert min(rows["value"]) > 100

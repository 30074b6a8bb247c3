"""What each service does in its own way, on replayed answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts import Forecast, Signal, gather
from forecasts.energy_charts import parse as parse_energy_charts
from forecasts.errors import ForecastError, ForecastFormatError
from forecasts.provider import Observations
from forecasts.uk_carbon_intensity import parse as parse_uk
from forecasts.watttime import parse as parse_watttime
from inputs.errors import SettingsError
from tests.drivers_live import Night, client_of
from tests.factories_forecast import region_of, workspace_of
from tests.replay_servers import Answer, Reply, Seen, replying, serving
from tests.replay_services import (
    GRID,
    NOW,
    SERVICES,
    TRUTH,
    Service,
    carbon_aware_sdk,
    electricity_maps,
    energy_charts,
    uk_national,
    uk_regional,
    watttime,
)

DAY = TRUTH[6:30]
BY_NAME = {service.name: service for service in SERVICES}
HOUR = timedelta(hours=1)


def asked(
    name: str, answer: Answer, root: Path, **settings: Any
) -> tuple[Forecast, list[Seen]]:
    with serving(answer) as server:
        forecast = Night(root, BY_NAME[name], server.url).carbon(**settings)
    return forecast, server.seen


def changed(answer: Answer, change: Callable[[Any], Any]) -> Answer:
    """Good answers, except that ``change`` has been at their body."""

    def altered(seen: Seen) -> Reply:
        reply = answer(seen)
        body = json.loads(reply.data) if reply.status == 200 else None
        if body is None or "token" in body:
            return reply
        return Reply(change(body))

    return altered


def table_of(name: str, url: str, **own: Any) -> dict[str, Any]:
    return {name: {"base_url": url, **BY_NAME[name].options, **own}}


# Electricity Maps


@pytest.mark.parametrize(
    ("ahead", "hours"),
    [(0, "24"), (1, "48"), (24, "48"), (25, "72"), (60, "72")],
)
def test_electricity_maps_is_asked_for_the_shortest_horizon_that_reaches(
    tmp_path: Path, ahead: int, hours: str
) -> None:
    now = GRID.start - ahead * HOUR
    _, (seen,) = asked(
        "electricity_maps", electricity_maps(issued=now), tmp_path, now=now
    )
    assert seen.query["horizonHours"] == hours


@pytest.mark.parametrize(
    ("version", "guess"),
    [
        ("v3", ("shouldUseFallbackCallerLookup", "false")),
        ("v4", ("disableCallerLookup", "true")),
    ],
)
def test_electricity_maps_forbids_guessing_the_zone_in_both_versions(
    tmp_path: Path, version: str, guess: tuple[str, str]
) -> None:
    forecast, (seen,) = asked(
        "electricity_maps", electricity_maps(), tmp_path, version=version
    )
    assert forecast.values == pytest.approx(DAY)
    assert seen.path.startswith(f"/{version}/")
    assert guess in seen.query.items()


def test_electricity_maps_quarter_hours_under_the_name_data(tmp_path: Path) -> None:
    def quarters(body: Any) -> Any:
        points = [
            {**p, "datetime": (at + i * HOUR / 4).isoformat()}
            for p in body.pop("forecast")
            for i in range(4)
            for at in [datetime.fromisoformat(p["datetime"])]
        ]
        return {**body, "data": points}

    forecast, (seen,) = asked(
        "electricity_maps",
        changed(electricity_maps(), quarters),
        tmp_path,
        granularity="15_minutes",
    )
    assert seen.query["temporalGranularity"] == "15_minutes"
    assert forecast.values == pytest.approx(DAY)


@pytest.mark.parametrize(
    "mark", [{"_disclaimer": "made up"}, {"estimationMethod": "SANDBOX_MODE_DATA"}]
)
def test_electricity_maps_sandbox_is_refused(
    tmp_path: Path, mark: dict[str, str]
) -> None:
    sandbox = changed(electricity_maps(), lambda body: {**body, **mark})
    forecast, _ = asked("electricity_maps", sandbox, tmp_path)
    assert forecast.provider == "typical"
    assert "sandbox" in forecast.notes[0]


def test_electricity_maps_says_that_a_zone_is_not_in_the_plan(tmp_path: Path) -> None:
    body = {
        "error": "Request unauthorized for zoneKey=DE",
        "message": "You do not have access",
    }
    forecast, seen = asked("electricity_maps", lambda _: Reply(body, 401), tmp_path)
    assert "unauthorized for zoneKey=DE" in forecast.notes[0]
    assert len(seen) == 1


def test_electricity_maps_null_is_a_hole_and_whole_numbers_are_numbers(
    tmp_path: Path,
) -> None:
    def with_null(body: Any) -> Any:
        for i, point in enumerate(body["forecast"]):
            point["carbonIntensity"] = None if i == 10 else 300 + i % 2
        return body

    forecast, _ = asked(
        "electricity_maps", changed(electricity_maps(), with_null), tmp_path
    )
    assert forecast.filled_slots == 1
    assert set(np.delete(forecast.values, 4)) == {300, 301}


def test_electricity_maps_key_may_go_by_another_header(tmp_path: Path) -> None:
    _, (seen,) = asked(
        "electricity_maps", electricity_maps(), tmp_path, key_header="X-BLOBR-KEY"
    )
    assert "x-blobr-key" in seen.headers
    assert "auth-token" not in seen.headers


# WattTime


def two_regions(server_url: str, root: Path, *, now: datetime = NOW) -> Any:
    service = BY_NAME["watttime"]
    regions = (region_of("a", zone="CAISO_NORTH"), region_of("b", zone="PJM_DC"))
    table = {"provider": "watttime", **table_of("watttime", server_url)}
    workspace = workspace_of(root, *regions, forecasts={"carbon": table})
    return gather(
        workspace, GRID, now=now, environment=service.environment, http=client_of()
    )


def test_watttime_logs_in_once_for_all_regions(tmp_path: Path) -> None:
    with serving(watttime()) as server:
        forecasts = two_regions(server.url, tmp_path)
        paths = [seen.path for seen in server.seen]
    assert paths == ["/login", "/v3/forecast", "/v3/forecast"]
    assert [f.signal for f in forecasts.carbon] == [Signal.MARGINAL] * 2


@pytest.mark.parametrize(
    "refusal", [Reply({"error": "expired"}, 401), Reply(b"<html>no</html>", 403)]
)
def test_watttime_token_that_has_run_out_is_renewed_once(
    tmp_path: Path, refusal: Reply
) -> None:
    good, uses = watttime(), []

    def short_lived(seen: Seen) -> Reply:
        if seen.path == "/login":
            uses.clear()
            return good(seen)
        uses.append(seen)
        return good(seen) if len(uses) == 1 else refusal

    with serving(short_lived) as server:
        forecasts = two_regions(server.url, tmp_path)
        paths = [seen.path for seen in server.seen]
    assert "".join(paths).count("/v3/forecast") == 3
    assert [i for i, path in enumerate(paths) if path == "/login"] == [0, 3]
    assert not forecasts.degraded


def test_watttime_logs_in_again_when_half_an_hour_has_passed(tmp_path: Path) -> None:
    from forecasts.watttime import WattTime

    service = BY_NAME["watttime"]
    with serving(watttime()) as server:
        provider = WattTime(WattTime.Options(base_url=server.url))
        for minutes in (0, 28, 31):
            provider.fetch(request_at(NOW + timedelta(minutes=minutes), service))
        paths = [seen.path for seen in server.seen]
    assert paths.count("/login") == 2
    assert paths[-2:] == ["/login", "/v3/forecast"]


def request_at(now: datetime, service: Service) -> Any:
    from tests.factories_forecast import request_of

    return replace(
        request_of(region=region_of(zone=service.zone), now=now),
        environment=service.environment,
        http=client_of(now=now),
    )


def test_watttime_gives_288_points_and_passes_its_warnings_on(tmp_path: Path) -> None:
    def with_warning(body: Any) -> Any:
        body["meta"]["warnings"].append("as a\nmere text")
        return body

    forecast, seen = asked("watttime", changed(watttime(), with_warning), tmp_path)
    assert "the service warns: all is replayed" in forecast.notes
    assert "the service warns: as a mere text" in forecast.notes
    assert seen[1].query["horizon_hours"] == "30"


@pytest.mark.parametrize("units", ["", "percentile", "dollars"])
def test_watttime_unit_that_is_not_of_intensity_is_refused(
    tmp_path: Path, units: str
) -> None:
    def other(body: Any) -> Any:
        body["meta"]["units"] = units
        return body

    forecast, _ = asked("watttime", changed(watttime(), other), tmp_path)
    assert forecast.provider == "typical"
    assert "unit" in forecast.notes[0]


def test_watttime_other_signal_is_called_what_it_is() -> None:
    body = json.dumps(
        {
            "data": [{"point_time": "2026-11-22T00:00Z", "value": 500}],
            "meta": {"region": "X", "signal_type": "co2_aoer", "units": ""},
        }
    )
    assert parse_watttime(body.encode()).signal is Signal.AVERAGE
    unknown = body.replace("co2_aoer", "health_damage")
    assert parse_watttime(unknown.encode()).signal is None


@pytest.mark.parametrize("token", [None, "", "a b", "a\r\nb", 7])
def test_watttime_login_without_a_token_of_use_is_refused(
    tmp_path: Path, token: object
) -> None:
    forecast, seen = asked("watttime", lambda _: Reply({"token": token}), tmp_path)
    assert "the login gave no token" in forecast.notes[0]
    assert len(seen) == 1


def test_watttime_fault_of_a_parameter_is_quoted(tmp_path: Path) -> None:
    detail = {"detail": [{"loc": ["query"], "msg": "bad", "type": "value_error"}]}
    with serving(watttime()) as server:
        server.misbehave(forever=replying(422, detail), spare="/login")
        night = Night(tmp_path, BY_NAME["watttime"], server.url)
        assert "HTTP 422" in night.carbon().notes[0]


# UK Carbon Intensity


@pytest.mark.parametrize("listed", [False, True])
def test_uk_region_may_be_an_object_or_a_list_of_one(
    tmp_path: Path, listed: bool
) -> None:
    service = next(s for s in SERVICES if s.zone == "GB-13")
    with serving(uk_regional(listed=listed)) as server:
        forecast = Night(tmp_path, service, server.url).carbon()
    assert forecast.values == pytest.approx(DAY)
    assert server.seen[0].path == (
        "/regional/intensity/2026-11-22T00:00Z/2026-11-23T00:00Z/regionid/13"
    )


def test_uk_window_of_29_points_is_no_day(tmp_path: Path) -> None:
    cut = changed(uk_national(), lambda body: {"data": body["data"][:29]})
    forecast, _ = asked_uk(cut, tmp_path)
    assert forecast.provider == "typical"


def test_uk_repeated_half_hour_is_taken_once(tmp_path: Path) -> None:
    twice = changed(
        uk_national(), lambda body: {"data": [*body["data"], body["data"][7]]}
    )
    forecast, _ = asked_uk(twice, tmp_path)
    assert forecast.values == pytest.approx(DAY)
    assert not forecast.degraded


def asked_uk(answer: Answer, root: Path) -> tuple[Forecast, list[Seen]]:
    service = next(s for s in SERVICES if s.zone == "GB")
    with serving(answer) as server:
        return Night(root, service, server.url).carbon(), server.seen


@pytest.mark.parametrize("zone", ["GB", "GB-13"])
def test_uk_error_in_a_good_status_is_an_error(zone: str) -> None:
    body = b'{"error": {"code": "400 Bad Request", "message": "a valid path"}}'
    with pytest.raises(ForecastError, match="the service says: a valid path"):
        parse_uk(body, zone=zone)


def test_uk_says_that_its_figures_leave_out_the_life_cycle(tmp_path: Path) -> None:
    forecast, _ = asked_uk(uk_national(), tmp_path)
    assert any("without the rest of the life cycle" in note for note in forecast.notes)


# Energy-Charts


def test_energy_charts_takes_the_forecast_before_what_was_measured() -> None:
    body = {
        "unix_seconds": [0, 900, 1800, 2700],
        "co2eq": [410.5, 622.0, None, None],
        "co2eq_forecast": [None, 402.0, 398.5, None],
    }
    read: Observations = parse_energy_charts(json.dumps(body).encode(), zone="DE")
    assert read.values.tolist()[:3] == [410.5, 402.0, 398.5]
    assert np.isnan(read.values[3])
    assert (np.diff(read.times_us) == 900_000_000).all()


def test_energy_charts_before_the_evening_has_no_tomorrow(tmp_path: Path) -> None:
    only_today = energy_charts(issued=GRID.start - 30 * HOUR)
    forecast, _ = asked("energy_charts", only_today, tmp_path)
    assert forecast.provider == "typical"
    assert "no forecast for DE at that time" in forecast.notes[0]


def test_energy_charts_series_of_unequal_length_are_refused() -> None:
    body = b'{"unix_seconds": [0, 900], "co2eq": [1.0], "co2eq_forecast": []}'
    with pytest.raises(ForecastError, match="2 times do not fit"):
        parse_energy_charts(body, zone="DE")


def test_energy_charts_short_refusal_is_waited_for(tmp_path: Path) -> None:
    with serving(energy_charts()) as server:
        server.misbehave(replying(429, headers={"retry-after": "6"}))
        night = Night(tmp_path, BY_NAME["energy_charts"], server.url)
        assert not night.carbon().degraded
    assert 6 <= night.waits.slept[0] <= 7


# Carbon Aware SDK


def test_sdk_must_be_told_its_signal(tmp_path: Path) -> None:
    service = replace(BY_NAME["carbon_aware_sdk"], options={})
    with pytest.raises(SettingsError, match="signal"):
        Night(tmp_path, service, "http://localhost").carbon()


def points(change: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def altered(body: Any) -> Any:
        body[0]["forecastData"] = [change(p) for p in body[0]["forecastData"]]
        return body

    return altered


def test_sdk_length_of_zero_means_that_it_is_not_known(tmp_path: Path) -> None:
    zero = changed(carbon_aware_sdk(), points(lambda p: {**p, "duration": 0}))
    forecast, _ = asked("carbon_aware_sdk", zero, tmp_path)
    assert forecast.values == pytest.approx(DAY)


def test_sdk_rolling_means_are_refused(tmp_path: Path) -> None:
    rolling = changed(carbon_aware_sdk(), points(lambda p: {**p, "duration": 30}))
    forecast, _ = asked("carbon_aware_sdk", rolling, tmp_path)
    assert forecast.provider == "typical"
    assert "begin before the one before has ended" in forecast.notes[0]


def test_sdk_minus_one_is_a_hole(tmp_path: Path) -> None:
    late = (GRID.start + HOUR).isoformat()
    marked = changed(
        carbon_aware_sdk(),
        points(lambda p: {**p, "value": -1 if p["timestamp"] == late else p["value"]}),
    )
    forecast, _ = asked("carbon_aware_sdk", marked, tmp_path)
    assert forecast.provider == "carbon_aware_sdk"
    assert forecast.filled_slots == 1


def data_file(root: Path, rows: list[dict[str, Any]], **top: Any) -> None:
    (root / "data.json").write_text(json.dumps({**top, "Emissions": rows}))


def rows(*, offset: bool = True, **more: Any) -> list[dict[str, Any]]:
    starts = [GRID.start + i * HOUR for i in range(24)]
    return [
        {
            "Location": "eastus",
            "Time": (t if offset else t.replace(tzinfo=None)).isoformat(),
            "Rating": f"{DAY[i]}",
            "Duration": "01:00:00",
            **more,
        }
        for i, t in enumerate(starts)
    ]


def from_data_file(root: Path, **settings: Any) -> Forecast:
    own = {"signal": "average", "data_file": "data.json", **settings}
    service = replace(BY_NAME["carbon_aware_sdk"], options=own)
    return Night(root, service, "http://localhost").carbon()


def test_sdk_data_file_is_read_for_its_location(tmp_path: Path) -> None:
    elsewhere = rows(Location="westus", Rating=9)
    data_file(tmp_path, [*elsewhere, *rows()], Date="2026-11-21")
    forecast = from_data_file(tmp_path)
    assert forecast.values == pytest.approx(DAY)
    assert forecast.provider == "carbon_aware_sdk"
    assert forecast.signal is Signal.AVERAGE


def test_sdk_data_file_without_locations_is_about_every_one(tmp_path: Path) -> None:
    bare = [{k: v for k, v in row.items() if k != "Location"} for row in rows()]
    data_file(tmp_path, bare, GeneratedAt=NOW.isoformat())
    forecast = from_data_file(tmp_path)
    assert forecast.values == pytest.approx(DAY)
    assert forecast.issued_at == NOW


def test_sdk_data_file_times_without_an_offset_need_a_zone(tmp_path: Path) -> None:
    data_file(tmp_path, rows(offset=False))
    assert "file_timezone" in from_data_file(tmp_path).notes[0]
    forecast = from_data_file(tmp_path, file_timezone="UTC")
    assert forecast.values == pytest.approx(DAY)
    with pytest.raises(SettingsError, match="IANA"):
        from_data_file(tmp_path, file_timezone="Mars/Olympus")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "No such file"),
        ("[", "JSON"),
        ('{"Emissions": []}', "nothing about"),
        ('{"Emissions": [{"Time": "noon", "Rating": 1}]}', "Time"),
    ],
)
def test_sdk_data_file_of_no_use_says_why(
    tmp_path: Path, content: str | None, found: str
) -> None:
    if content is not None:
        (tmp_path / "data.json").write_text(content)
    forecast = from_data_file(tmp_path)
    assert forecast.provider == "typical"
    assert found in forecast.notes[0]


def test_shape_that_is_not_documented_is_named_field_by_field() -> None:
    with pytest.raises(ForecastFormatError, match=r"watttime, data\.0\.point_time"):
        parse_watttime(b'{"data": [{"point_time": "noon"}], "meta": {"region": "X"}}')

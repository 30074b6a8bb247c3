"""What WattTime does in its own way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from forecasts import Signal, gather
from forecasts.errors import ForecastFormatError, ForecastSignalError
from forecasts.watttime import parse as parse_watttime
from forecasts.watttime_average import parse_average
from tests.drivers_live import BY_NAME, Night, asked, changed, client_of, table_of
from tests.factories_forecast import region_of, workspace_of
from tests.replay_servers import Reply, Seen, replying, serving
from tests.replay_services import (
    GRID,
    NOW,
    Service,
    watttime,
)

HOUR = timedelta(hours=1)


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


def test_shape_that_is_not_documented_is_named_field_by_field() -> None:
    with pytest.raises(ForecastFormatError, match=r"watttime, data\.0\.point_time"):
        parse_watttime(b'{"data": [{"point_time": "noon"}], "meta": {"region": "X"}}')


@pytest.mark.parametrize("signal_type", ["co2_moer", "health_damage", ""])
def test_average_history_of_another_signal_is_refused(signal_type: str) -> None:
    body: dict[str, Any] = {
        "data": [{"point_time": "2026-11-20T00:00:00+00:00", "value": 800.0}],
        "meta": {
            "region": "CAISO",
            "signal_type": signal_type,
            "units": "lbs_co2_per_mwh",
            "data_point_period_seconds": 3600,
        },
    }
    with pytest.raises(ForecastSignalError, match="asked for were those of co2_aoer"):
        parse_average(json.dumps(body).encode())
    body["meta"]["signal_type"] = "co2_aoer"
    read = parse_average(json.dumps(body).encode())
    assert read.signal is Signal.AVERAGE
    assert read.place == "CAISO"

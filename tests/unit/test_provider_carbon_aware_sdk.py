"""What Carbon Aware SDK does in its own way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from forecasts import Forecast, Signal
from forecasts.carbon_aware_data import parse_measured
from forecasts.collecting import collect_past
from forecasts.errors import ForecastError
from inputs.errors import SettingsError
from tests.drivers_live import BY_NAME, DAY, Night, asked, changed, client_of
from tests.factories_forecast import region_of, workspace_of
from tests.replay_services import (
    GRID,
    NOW,
    carbon_aware_sdk,
)

HOUR = timedelta(hours=1)


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
        (None, "no such file"),
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


# What its source measured


def told(*locations: str | None, **own: Any) -> bytes:
    return json.dumps(
        [
            {
                "location": location,
                "time": f"2026-11-20T{hour:02}:00:00+00:00",
                "rating": 400.0 + hour,
                "duration": "01:00:00",
                **own,
            }
            for hour, location in enumerate(locations)
        ]
    ).encode()


@pytest.mark.parametrize("location", ["eastus", "PJM_ROANOKE", None])
def test_measured_rows_name_the_location_or_the_grid_of_the_source(
    location: str | None,
) -> None:
    read = parse_measured(
        told(location, location), zone="eastus", signal=Signal.MARGINAL
    )
    assert read.place == "eastus"
    assert read.values.tolist() == [400, 401]
    assert read.signal is Signal.MARGINAL
    assert read.steps_us is not None
    assert set(read.steps_us) == {3_600_000_000}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (told("eastus", "westus"), "about eastus, westus"),
        (told("eastus", time="2026-11-20T00:00:00"), "a time with an offset"),
        (told("eastus", duration="-01:00:00"), "duration"),
        (b"[]", "holds nothing"),
        (b"", "empty"),
        (b'{"a": 1}', "emissions"),
    ],
)
def test_measured_rows_without_sense_are_refused(body: bytes, said: str) -> None:
    with pytest.raises(ForecastError, match=said):
        parse_measured(body, zone="eastus", signal=Signal.MARGINAL)


def test_rows_of_a_data_file_are_collected_as_a_past(tmp_path: Path) -> None:
    rows = [
        {"Location": "eastus", "Rating": str(300 + hour), "Duration": "01:00:00",
         "Time": (GRID.start + (hour - 48) * HOUR).replace(tzinfo=None).isoformat()}
        for hour in range(72)
    ]  # fmt: skip
    (tmp_path / "data.json").write_text(json.dumps({"Emissions": rows}))
    table = {
        "provider": "typical", "past": ["carbon_aware_sdk"],
        "carbon_aware_sdk": {
            "signal": "average", "data_file": "data.json", "file_timezone": "UTC",
        },
    }  # fmt: skip
    workspace = workspace_of(
        tmp_path, region_of(zone="eastus"), forecasts={"carbon": table}
    )
    now = GRID.start + 6 * HOUR
    (one,) = collect_past(workspace, GRID, days=2, now=now, http=client_of(now=now))
    assert one.failure is None
    assert one.held is not None
    assert (one.held.added, one.held.end) == (54, now)

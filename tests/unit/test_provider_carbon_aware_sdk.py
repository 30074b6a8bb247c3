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
from inputs.errors import SettingsError
from tests.drivers_live import BY_NAME, DAY, Night, asked, changed
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

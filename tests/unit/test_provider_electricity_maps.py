"""What Electricity Maps does in its own way."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.drivers_live import DAY, asked, changed
from tests.replay_servers import Reply
from tests.replay_services import (
    GRID,
    electricity_maps,
)

HOUR = timedelta(hours=1)


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

"""What UK Carbon Intensity does in its own way."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from forecasts import Forecast
from forecasts.errors import ForecastError
from forecasts.uk_carbon_intensity import parse as parse_uk
from tests.drivers_live import DAY, Night, changed
from tests.replay_servers import Answer, Seen, serving
from tests.replay_services import (
    SERVICES,
    uk_national,
    uk_regional,
)

HOUR = timedelta(hours=1)


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

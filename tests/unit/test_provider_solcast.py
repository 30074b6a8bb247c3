"""What Solcast does in its own way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts import Forecast
from forecasts.errors import ForecastError
from forecasts.provider import Stamp
from forecasts.solcast import parse
from tests.drivers_live import Night, changed
from tests.replay_servers import Answer, replying, serving
from tests.replay_services import NOW
from tests.replay_solar import SITE, SOLAR_DAY, SOLAR_SERVICES, solcast

SERVICE = next(s for s in SOLAR_SERVICES if s.name == "solcast")
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)


def asked(root: Path, answer: Answer, **settings: Any) -> tuple[Forecast, list[Any]]:
    with serving(answer) as server:
        return Night(root, SERVICE, server.url).forecast(**settings), server.seen


def point(end: str, kw: float | None = 1.0, **given: Any) -> dict[str, Any]:
    return {"pv_estimate": kw, "period_end": end, "period": "PT30M", **given}


def read(*points: dict[str, Any]) -> Any:
    return parse(json.dumps({"forecasts": points}).encode(), place="here")


def test_fc_15_stamp_of_seven_digits_is_the_end_of_its_half_hour() -> None:
    read_ = read(point("2026-11-22T11:00:00.0000000Z"))
    assert read_.stamp is Stamp.END
    assert read_.steps_us.tolist() == [1_800_000_000]
    end = int(datetime(2026, 11, 22, 11, tzinfo=UTC).timestamp()) * 10**6
    assert read_.times_us.tolist() == [end]


def test_quantiles_reach_the_slots(tmp_path: Path) -> None:
    forecast, _ = asked(tmp_path, solcast())
    assert list(forecast.quantiles) == [0.1, 0.5, 0.9]
    np.testing.assert_allclose(forecast.quantiles[0.1], 0.5 * SOLAR_DAY, rtol=1e-12)
    np.testing.assert_allclose(forecast.quantiles[0.5], SOLAR_DAY, rtol=1e-12)
    np.testing.assert_allclose(forecast.quantiles[0.9], 1.2 * SOLAR_DAY, rtol=1e-12)


def test_one_row_more_than_asked_for_changes_nothing(tmp_path: Path) -> None:
    def fewer(body: Any) -> Any:
        return {"forecasts": body["forecasts"][1:]}

    more, _ = asked(tmp_path / "more", solcast())
    exact, _ = asked(tmp_path / "exact", changed(solcast(), fewer))
    assert (more.values == exact.values).all()


def test_hours_reach_the_end_of_the_plan(tmp_path: Path) -> None:
    _, (seen,) = asked(tmp_path, solcast())
    assert seen.query == {"format": "json", "hours": "30", "period": "PT30M"}


def test_quota_that_is_used_up_is_not_asked_for_again_that_day(tmp_path: Path) -> None:
    used_up = {
        "response_status": {
            "error_code": "TooManyRequests",
            "message": "You have exceeded your free daily limit.",
            "errors": [],
        }
    }
    with serving(solcast()) as server:
        server.misbehave(forever=replying(429, used_up))
        night = Night(tmp_path, SERVICE, server.url)
        assert "left alone until 2026-11-22T00:00" in night.forecast().notes[0]
        assert len(server.seen) == 1
        server.misbehave()
        night.forecast(now=MIDNIGHT - timedelta(minutes=1))
        assert len(server.seen) == 1
        server.answer_with(solcast(issued=MIDNIGHT))
        after = night.forecast(now=MIDNIGHT + timedelta(minutes=1))
        assert after.provider == "solcast"


def test_refusal_without_a_body_is_a_busy_moment(tmp_path: Path) -> None:
    with serving(solcast()) as server:
        server.misbehave(replying(429, b""), replying(429, b""))
        night = Night(tmp_path, SERVICE, server.url)
        assert night.forecast().provider == "solcast"
    assert len(night.waits.slept) == 2


def test_region_without_a_site_says_what_an_id_looks_like(tmp_path: Path) -> None:
    forecast, seen = asked(tmp_path, solcast(), tables={"solcast": {}})
    assert "ids of rooftop sites such as" in forecast.notes[0]
    assert not seen


def test_commercial_api_is_sent_the_data_of_the_array(tmp_path: Path) -> None:
    with serving(solcast(prefix="pv_power_rooftop")) as server:
        table = {"base_url": server.url, "api": "rooftop_pv_power"}
        night = Night(tmp_path, SERVICE, server.url)
        forecast = night.forecast(tables={"solcast": table})
        (seen,) = server.seen
    assert forecast.values == night.truth
    assert seen.path == "/data/forecast/rooftop_pv_power"
    described = {k: seen.query[k] for k in ("capacity", "tilt", "azimuth", "latitude")}
    assert described == {
        "capacity": "100", "tilt": "35", "azimuth": "180", "latitude": "52.5000"
    }  # fmt: skip


@pytest.mark.parametrize("kw", [None, -1.0, -999.0])
def test_fc_09_missing_power_is_a_hole_that_is_labelled(
    tmp_path: Path, kw: float | None
) -> None:
    def hole(body: Any) -> Any:
        body["forecasts"][36] |= {"pv_estimate": kw}
        return body

    forecast, _ = asked(tmp_path, changed(solcast(), hole))
    assert forecast.filled_slots == 1
    assert forecast.values[np.argmax(forecast.quality)] > 0


@pytest.mark.parametrize("factor", [3.0, -1.0])
def test_fc_13_more_than_the_array_can_give_is_refused(
    tmp_path: Path, factor: float
) -> None:
    forecast, _ = asked(tmp_path, solcast(scale=5 * factor))
    assert forecast.provider == "clear_sky"


def test_fc_14_power_in_watts_is_caught_by_the_size_of_the_array(
    tmp_path: Path,
) -> None:
    forecast, _ = asked(tmp_path, solcast(scale=1000))
    assert "implausible values" in forecast.notes[0]


def test_own_use_of_the_inverter_at_night_is_no_negative_power(tmp_path: Path) -> None:
    def night_use(body: Any) -> Any:
        for one in body["forecasts"]:
            one["pv_estimate"] = one["pv_estimate"] or -0.02
        return body

    forecast, _ = asked(tmp_path, changed(solcast(), night_use))
    assert forecast.provider == "solcast"
    assert forecast.values.min() == 0
    assert any("slightly negative" in note for note in forecast.notes)


@pytest.mark.parametrize("period", ["", "PT0M", "P9D", None, 30])
def test_period_that_is_none_is_refused(period: Any) -> None:
    if period == 30:
        assert read(point("2026-11-22T11:00Z", period=30)).steps_us[0] == 1_800_000_000
        return
    with pytest.raises(ForecastError):
        read(point("2026-11-22T11:00Z", period=period))


def test_site_is_in_the_path_and_the_key_in_a_header(tmp_path: Path) -> None:
    _, (seen,) = asked(tmp_path, solcast())
    assert seen.path == f"/rooftop_sites/{SITE}/forecasts"
    assert "api_key" not in seen.query
    assert NOW.year == 2026

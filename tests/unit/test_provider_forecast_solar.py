"""What Forecast.Solar does in its own way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts import Forecast
from forecasts.errors import ForecastError, ForecastFormatError
from forecasts.forecast_solar import parse
from forecasts.nights import dark_gaps
from forecasts.provider import Stamp
from forecasts.series import Quality, Series
from tests.drivers_live import Night, changed
from tests.factories_forecast import ARRAY, request_of
from tests.replay_servers import replying, serving
from tests.replay_services import CANARY, GRID, NOW
from tests.replay_solar import SOLAR_DAY, SOLAR_SERVICES, forecast_solar

SERVICE = next(s for s in SOLAR_SERVICES if s.name == "forecast_solar")
REQUEST = request_of(Series.SOLAR, grid=GRID, now=NOW)
HOUR_US = 3_600_000_000


def asked(root: Path, change: Any, **settings: Any) -> Forecast:
    with serving(changed(forecast_solar(), change)) as server:
        return Night(root, SERVICE, server.url).forecast(**settings)


def answer_of(energies: dict[str, Any], **info: Any) -> bytes:
    result = {"watt_hours_period": energies}
    return json.dumps({"result": result, "message": {"info": info}}).encode()


def test_fc_15_energy_belongs_to_the_time_since_the_stamp_before() -> None:
    energies = {
        "2026-11-22T06:40:00+00:00": 0,
        "2026-11-22T07:00:00+00:00": 100,
        "2026-11-22T08:00:00+00:00": 900,
    }
    read = parse(answer_of(energies), request=REQUEST)
    assert read.stamp is Stamp.END
    assert read.unit == "Wh"
    assert read.steps_us is not None
    minutes = read.steps_us[:2] // 60_000_000
    assert minutes.tolist() == [20, 60]
    assert read.values[:2].tolist() == [100, 900]


def test_fc_15_energy_of_the_day_is_kept_in_slots_of_any_length(tmp_path: Path) -> None:
    with serving(forecast_solar()) as server:
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
    assert forecast.values.sum() == pytest.approx(SOLAR_DAY.sum(), rel=1e-12)
    assert (forecast.quality == Quality.PROVIDED).all()


def test_nights_that_the_service_leaves_out_are_dark_not_missing(
    tmp_path: Path,
) -> None:
    with serving(forecast_solar()) as server:
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
    assert (forecast.values[[0, 1, 2, 3, 4, 5, 16, 20, 23]] == 0).all()
    assert forecast.filled_slots == 0


def test_fc_10_series_that_ends_by_day_is_not_taken_for_night(tmp_path: Path) -> None:
    def cut(body: Any) -> Any:
        said = body["result"]["watt_hours_period"]
        kept = {k: v for k, v in said.items() if k < "2026-11-22T11:30"}
        body["result"]["watt_hours_period"] = kept
        return body

    forecast = asked(tmp_path, cut)
    assert forecast.provider == "clear_sky"
    assert (
        "no values from 2026-11-22T11:00:00+00:00 to 2026-11-22T14:"
        in (forecast.notes[0])
    )


def test_fc_10_hour_missing_by_day_is_filled_and_labelled(tmp_path: Path) -> None:
    def hole(body: Any) -> Any:
        del body["result"]["watt_hours_period"]["2026-11-22T11:00:00+00:00"]
        return body

    forecast = asked(tmp_path, hole)
    # the energy since the stamp before is of two hours, or of one: nobody can tell
    assert np.flatnonzero(forecast.quality == Quality.FILLED).tolist() == [10, 11]
    assert forecast.values[10] > 0


def test_local_times_without_an_offset_are_refused() -> None:
    energies = {"2026-10-25 02:00:00": 0, "2026-10-25 03:00:00": 10}
    with pytest.raises(ForecastFormatError):
        parse(answer_of(energies), request=REQUEST)


def test_local_times_that_stand_twice_in_october_are_refused() -> None:
    twice = b'{"2026-10-25 02:00:00": 0, "2026-10-25 02:00:00": 10}'
    body = b'{"result": {"watt_hours_period": ' + twice + b"}}"
    with pytest.raises(ForecastFormatError, match="twice"):
        parse(body, request=REQUEST)


def test_one_instant_in_two_spellings_is_refused() -> None:
    energies = {
        "2026-11-22T08:00:00+00:00": 1,
        "2026-11-22T09:00:00+00:00": 1,
        "2026-11-22T10:00:00+01:00": 2,
    }
    with pytest.raises(ForecastError, match="stands twice"):
        parse(answer_of(energies), request=REQUEST)


def test_fc_17_key_in_the_path_is_sent_and_shown_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with serving(forecast_solar()) as server:
        night = Night(tmp_path, SERVICE, server.url)
        forecasts = night.run()
        night.run(environment={}, refresh="0s")
        paths = [seen.path for seen in server.seen]
    assert paths[0].startswith(f"/{CANARY}/estimate/")
    assert paths[1].startswith("/estimate/")
    assert "/***/estimate/" in caplog.text
    assert CANARY not in f"{caplog.text} {forecasts!r}"


def test_plane_is_described_with_the_south_at_zero(tmp_path: Path) -> None:
    array = ARRAY.model_copy(update={"azimuth": 90.0, "tilt": 20.4, "kwp": 7.25})
    from forecasts.forecast_solar import ForecastSolarOptions, http_request

    request = http_request(ForecastSolarOptions(), array=array, key=None)
    assert request.url.endswith("/estimate/52.5000/13.4000/20/-90/7.25")


def test_limit_is_kept_to_until_the_instant_that_its_body_names(tmp_path: Path) -> None:
    until = NOW + timedelta(minutes=40)
    limit = {"period": 3600, "limit": 12, "retry-at": until.isoformat()}
    body = {
        "result": "Rate limit for API calls reached.",
        "message": {"code": 429, "type": "error", "ratelimit": limit},
    }
    with serving(forecast_solar()) as server:
        server.misbehave(forever=replying(429, body))
        night = Night(tmp_path, SERVICE, server.url)
        assert "left alone until 2026-11-21T18:40" in night.forecast().notes[0]
        assert len(server.seen) == 1
        server.misbehave()
        early = night.forecast(now=until - timedelta(minutes=1))
        assert early.provider == "clear_sky"
        late = night.forecast(now=until + timedelta(minutes=1))
        assert late.provider == "forecast_solar"


def test_fc_18_answer_about_another_place_is_refused(tmp_path: Path) -> None:
    with serving(forecast_solar(place=(48.1, 11.6))) as server:
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
    assert "about '48.1, 11.6', asked for was 'here'" in forecast.notes[0]


def test_list_where_a_table_should_be_is_no_data() -> None:
    with pytest.raises(ForecastError):
        parse(b'{"result": {"watt_hours_period": []}}', request=REQUEST)


def test_day_without_a_night_has_no_dark_gap() -> None:
    north = ARRAY.model_copy(update={"latitude": 69.0})
    midsummer = int(datetime.fromisoformat("2026-06-21T00:00Z").timestamp()) * 10**6
    borders = (np.array([midsummer]), np.array([midsummer + HOUR_US]))
    starts, ends = dark_gaps(borders, north, reach_us=12 * HOUR_US)
    assert len(starts) == len(ends) == 0


def test_last_answer_about_another_array_is_not_used(tmp_path: Path) -> None:
    with serving(forecast_solar()) as server:
        night = Night(tmp_path, SERVICE, server.url)
        night.forecast()
        server.misbehave(forever=replying(500))
        same = night.forecast(refresh="0s", now=NOW + timedelta(hours=1))
        assert same.provider == "forecast_solar"
    folders = list((tmp_path / "outputs/cache/http/forecast_solar").iterdir())
    assert [folder.name for folder in folders] == ["here_52_5_13_4_35_180_100.solar"]
    larger = replace(REQUEST, region=REQUEST.region.model_copy(
        update={"solar": ARRAY.model_copy(update={"kwp": 200.0})}))  # fmt: skip
    from forecasts.solar_site import array_of, site_name

    assert site_name(larger, array_of(larger)) != site_name(REQUEST, ARRAY)

"""What Open-Meteo does in its own way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecasts import Forecast
from forecasts.errors import ForecastError, ForecastFormatError
from forecasts.http.message import HttpAnswer
from forecasts.irradiance import MeanSky, mean_power_kw
from forecasts.open_meteo import OpenMeteoOptions, busy_until, parse
from forecasts.photovoltaics import Air, clear_sky_irradiance, sun_position
from forecasts.provider import Stamp
from forecasts.series import Series
from tests.drivers_live import Night, changed
from tests.factories_forecast import ARRAY, request_of
from tests.replay_servers import Reply, replying, serving
from tests.replay_services import GRID, NOW
from tests.replay_solar import SOLAR_DAY, SOLAR_SERVICES, open_meteo

SERVICE = next(s for s in SOLAR_SERVICES if s.name == "open_meteo")
HOUR_US = 3_600_000_000
REQUEST = request_of(Series.SOLAR, grid=GRID, now=NOW)


def asked(root: Path, change: Any, **settings: Any) -> Forecast:
    with serving(changed(open_meteo(), change)) as server:
        return Night(root, SERVICE, server.url).forecast(**settings)


def answer_of(ghi: list[Any], **given: Any) -> bytes:
    import json

    first = int(GRID.start.timestamp()) + 11 * 3600
    columns = {
        "time": [first + 3600 * i for i in range(len(ghi))],
        "shortwave_radiation": ghi,
        "diffuse_radiation": [None if v is None else v / 2 for v in ghi],
        **given.pop("columns", {}),
    }
    units = {"shortwave_radiation": "W/m²", "diffuse_radiation": "W/m²",
             "temperature_2m": "°C", "wind_speed_10m": "m/s",
             **given.pop("units", {})}  # fmt: skip
    return json.dumps({"hourly": columns, "hourly_units": units, **given}).encode()


def read(body: bytes) -> Any:
    return parse(body, request=REQUEST, options=OpenMeteoOptions())


def test_fc_15_stamp_is_the_end_of_the_hour_whose_mean_it_holds() -> None:
    observations = read(answer_of([300, 200]))
    assert observations.stamp is Stamp.END
    # the sun of 10:30 and 11:30, not of the stamps 11:00 and 12:00
    sky = MeanSky(
        starts_us=np.array([GRID.start_us + 10 * HOUR_US]),
        step_us=HOUR_US,
        ghi=np.array([300.0]),
        dhi=np.array([150.0]),
        air=Air(celsius=np.array([np.nan]), wind_m_s=np.array([np.nan])),
    )
    expected = mean_power_kw(sky, ARRAY, losses=0.14)
    assert observations.values[0] == pytest.approx(expected[0])


def test_fc_15_shift_by_an_hour_would_be_seen(tmp_path: Path) -> None:
    def late(body: Any) -> Any:
        body["hourly"]["time"] = [t + 3600 for t in body["hourly"]["time"]]
        return body

    forecast = asked(tmp_path, late)
    assert np.abs(forecast.values - SOLAR_DAY).max() > 10 * SERVICE.tolerance


@pytest.mark.parametrize(
    ("unit", "factor"), [("km/h", 3.6), ("mp/h", 1 / 0.44704), ("kn", 3.6 / 1.852)]
)
def test_fc_14_wind_in_another_unit_gives_the_same_power(
    tmp_path: Path, unit: str, factor: float
) -> None:
    def other(body: Any) -> Any:
        wind = body["hourly"]["wind_speed_10m"]
        body["hourly"]["wind_speed_10m"] = [factor * v for v in wind]
        body["hourly_units"]["wind_speed_10m"] = unit
        return body

    forecast = asked(tmp_path, other)
    np.testing.assert_allclose(forecast.values, SOLAR_DAY, atol=SERVICE.tolerance)


@pytest.mark.parametrize("unit", ["MJ/m²", "", None])
def test_fc_14_irradiance_in_an_unknown_unit_is_refused(
    tmp_path: Path, unit: str | None
) -> None:
    def other(body: Any) -> Any:
        body["hourly_units"]["shortwave_radiation"] = unit
        if unit is None:
            del body["hourly_units"]["shortwave_radiation"]
        return body

    forecast = asked(tmp_path, other)
    assert forecast.provider == "clear_sky"
    assert "shortwave_radiation" in forecast.notes[0]
    assert "W/m²" in forecast.notes[0]


def test_wind_cools_and_warm_air_heats_the_cells() -> None:
    def power(celsius: float, wind: float) -> float:
        columns = {"temperature_2m": [celsius] * 2, "wind_speed_10m": [wind] * 2}
        units = {"temperature_2m": "°C", "wind_speed_10m": "m/s"}
        body = answer_of([300, 300], columns=columns, units=units)
        return float(read(body).values[1])

    assert power(10, 1) > power(30, 1)
    assert power(20, 8) > power(20, 1)
    # -0.35 % a degree
    assert power(10, 1) / power(30, 1) == pytest.approx(1.07, abs=0.01)


@pytest.mark.parametrize("mark", [None, -1, -999])
def test_fc_09_missing_irradiance_is_a_hole_and_no_darkness(mark: float | None) -> None:
    observations = read(answer_of([300, mark, 300]))
    assert np.isnan(observations.values).tolist() == [False, True, False]


def test_null_tail_of_a_short_model_is_left_to_the_next_provider(
    tmp_path: Path,
) -> None:
    def short(body: Any) -> Any:
        for name in ("shortwave_radiation", "diffuse_radiation"):
            body["hourly"][name][12:] = [None] * len(body["hourly"][name][12:])
        return body

    forecast = asked(tmp_path, short)
    assert forecast.provider == "clear_sky"
    assert "no values from 2026-11-22T11:00" in forecast.notes[0]


def test_fc_13_irradiance_brighter_than_any_sky_is_refused() -> None:
    with pytest.raises(ForecastError, match="5000 W/m²; expected 0 to 2000"):
        read(answer_of([5000, 300]))


@pytest.mark.parametrize(
    ("name", "most"), [("temperature_2m", 65), ("wind_speed_10m", 120)]
)
def test_fc_13_air_hotter_or_faster_than_any_is_refused(name: str, most: int) -> None:
    with pytest.raises(
        ForecastError, match=f"{name} of 1e\\+06; expected .* to {most}"
    ):
        read(answer_of([300, 300], columns={name: [20, 1e6]}))


@pytest.mark.parametrize("name", ["temperature_2m", "wind_speed_10m"])
def test_a_mark_for_missing_air_is_as_good_as_no_value(name: str) -> None:
    marked = read(answer_of([300, 300], columns={name: [-999, -999]}))
    missing = read(answer_of([300, 300], columns={name: [None, None]}))
    np.testing.assert_array_equal(marked.values, missing.values)


def test_local_times_are_read_by_the_one_offset_that_the_answer_states() -> None:
    # one offset for the whole answer, even across the night when clocks change
    times = ["2026-10-24T12:00", "2026-10-25T02:00", "2026-10-25T12:00"]
    body = answer_of(
        [300, 0, 300], columns={"time": times}, utc_offset_seconds=7200
    )  # fmt: skip
    hours = (read(body).times_us // HOUR_US).tolist()
    start = int(datetime(2026, 10, 24, 10, tzinfo=UTC).timestamp()) // 3600
    assert hours == [start, start + 14, start + 24]


def test_list_of_one_place_is_read_and_of_several_refused(tmp_path: Path) -> None:
    forecast = asked(tmp_path / "one", lambda body: [body])
    np.testing.assert_allclose(forecast.values, SOLAR_DAY, atol=SERVICE.tolerance)
    assert asked(tmp_path / "two", lambda body: [body, body]).provider == "clear_sky"


def test_fc_18_answer_about_another_place_is_refused(tmp_path: Path) -> None:
    with serving(open_meteo(place=(48.1, 11.6))) as server:
        forecast = Night(tmp_path, SERVICE, server.url).forecast()
    assert forecast.provider == "clear_sky"
    assert "about '48.1, 11.6', asked for was 'here'" in forecast.notes[0]


def test_missing_temperatures_are_assumed_and_counted() -> None:
    (note,) = read(answer_of([300, 0, 200])).notes
    assert note == "2 temperatures are missing; 20 °C were assumed"


@pytest.mark.parametrize(
    ("word", "until"),
    [
        ("Minutely", NOW + timedelta(minutes=1)),
        ("Hourly", datetime(2026, 11, 21, 19, tzinfo=UTC)),
        ("Daily", datetime(2026, 11, 22, tzinfo=UTC)),
    ],
)
def test_limit_is_kept_to_as_long_as_its_reason_says(
    tmp_path: Path, word: str, until: datetime
) -> None:
    reason = f"{word} API request limit exceeded. Please try again later."
    with serving(open_meteo()) as server:
        server.misbehave(forever=replying(429, {"error": True, "reason": reason}))
        night = Night(tmp_path, SERVICE, server.url)
        night.forecast()
        server.misbehave()
        before = night.forecast(now=until - timedelta(seconds=30))
        assert before.provider == "clear_sky"
        after = night.forecast(now=until + timedelta(seconds=30))
        assert after.provider == "open_meteo"


def test_other_reason_to_refuse_names_no_time() -> None:
    for body in (b"", b"[]", b'{"reason": "Too many concurrent requests"}'):
        answer = HttpAnswer(status=429, headers={}, body=body)
        assert busy_until(answer, NOW) is None


def test_columns_of_unequal_length_are_refused() -> None:
    with pytest.raises(ForecastFormatError, match="as many values"):
        read(answer_of([300, 200], columns={"diffuse_radiation": [1]}))


def test_quarter_hours_are_asked_for_and_read(tmp_path: Path) -> None:
    def quarters(body: Any) -> Any:
        hourly = body.pop("hourly")
        body["minutely_15"] = {
            name: [v for v in values for _ in range(4)]
            for name, values in hourly.items()
        }
        body["minutely_15"]["time"] = [
            t - 2700 + 900 * i for t in hourly["time"] for i in range(4)
        ]
        body["minutely_15_units"] = body.pop("hourly_units")
        return body

    good = changed(open_meteo(), quarters)

    def answer(seen: Any) -> Reply:
        assert "minutely_15" in seen.query
        query = {**seen.query, "hourly": seen.query["minutely_15"]}
        return good(replace(seen, query=query))

    with serving(answer) as server:
        forecast = Night(tmp_path, SERVICE, server.url).forecast(step="minutely_15")
    assert forecast.provider == "open_meteo"
    # within an hour the light does not change here, while the sun moves on
    np.testing.assert_allclose(forecast.values, SOLAR_DAY, atol=6)


def test_clear_day_in_june_peaks_where_pvlib_has_it() -> None:
    """Known answer: 1 kWp in Berlin at a clear 21 June is at about 755 W."""
    array = ARRAY.model_copy(update={"kwp": 1.0, "tilt": 30.0})
    noon = int(datetime(2026, 6, 21, 11, tzinfo=UTC).timestamp()) * 10**6
    sun = sun_position(np.array([noon + HOUR_US // 2]), array)
    sky = clear_sky_irradiance(sun, 3.0)
    mean = MeanSky(
        starts_us=np.array([noon]),
        step_us=HOUR_US,
        ghi=sky.ghi,
        dhi=sky.dhi,
        air=Air(celsius=np.array([20.0]), wind_m_s=np.array([2.0])),
    )
    (power,) = mean_power_kw(mean, array, losses=0.14)
    assert power == pytest.approx(0.755, rel=0.03)

"""Own forecasters as providers of the chain, from files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pa_parquet
import pytest

from forecasts import Forecast, ForecastError, gather
from forecasts.history import keep_issue
from forecasts.provider import Observations
from forecasts.series import Series, Signal
from inputs.errors import SettingsError
from inputs.timegrid import day_grid
from tests.factories_forecast import HOUR_US, region_of, request_of, workspace_of
from tests.factories_past import FIRST, intensity, record_of_days, write_history

N_DAYS = 40
DAY = FIRST + timedelta(days=N_DAYS - 1)
ACTUAL = intensity(N_DAYS)
OWN = ("yesterday", "last_week", "climatology", "learned")


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def carbon(
    root: Path,
    provider: str,
    *,
    now: datetime | None = None,
    day: date = DAY,
    slot_minutes: int = 60,
    timezone: str = "UTC",
    zone: str | None = None,
    **table: Any,
) -> Forecast:
    table = {"provider": provider, "history": "history.parquet", **table}
    workspace = workspace_of(root, region_of(zone=zone), forecasts={"carbon": table})
    grid = day_grid(day, timezone=timezone, slot_minutes=slot_minutes)
    return gather(workspace, grid, now=now or midnight(day)).carbon[0]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_history(tmp_path / "history.parquet", record_of_days(ACTUAL))
    return tmp_path


def test_yesterday_is_what_was_measured_the_day_before(root: Path) -> None:
    forecast = carbon(root, "yesterday")
    assert forecast.values == pytest.approx(ACTUAL[-2])
    assert forecast.issued_at == midnight(DAY)
    assert forecast.signal is Signal.AVERAGE
    assert not forecast.degraded
    assert "own forecast from 39 days of history" in forecast.notes[0]


@pytest.mark.parametrize("name", OWN)
def test_later_rows_of_the_history_change_nothing(root: Path, name: str) -> None:
    now = midnight(DAY) - timedelta(hours=7)
    before = carbon(root, name, now=now)
    poisoned = ACTUAL.copy().ravel()
    poisoned[-24 - 7 :] = 1999.0
    write_history(root / "history.parquet", record_of_days(poisoned))
    after = carbon(root, name, now=now)
    assert (after.values == before.values).all()
    assert after.quantiles.keys() == before.quantiles.keys()
    assert all((after.quantiles[q] == v).all() for q, v in before.quantiles.items())


@pytest.mark.parametrize("name", OWN)
def test_quantiles_rise_and_lie_around_the_value(root: Path, name: str) -> None:
    forecast = carbon(root, name)
    levels = sorted(forecast.quantiles)
    assert levels == [0.05, 0.1, 0.5, 0.9, 0.95]
    stacked = np.stack([forecast.quantiles[level] for level in levels])
    assert (np.diff(stacked, axis=0) >= 0).all()
    assert (stacked[0] < forecast.values).mean() > 0.9
    assert (stacked[-1] > forecast.values).mean() > 0.9


@pytest.mark.parametrize("minutes", [5, 15, 30, 60, 120])
def test_history_of_any_step_serves_slots_of_any_length(
    tmp_path: Path, minutes: int
) -> None:
    fine = np.repeat(ACTUAL.ravel(), 60 // minutes) if minutes < 60 else (
        ACTUAL.reshape(N_DAYS, 24 * 60 // minutes, -1).mean(axis=2)
    )  # fmt: skip
    record = record_of_days(fine, step_us=minutes * 60_000_000)
    write_history(tmp_path / "history.parquet", record)
    forecast = carbon(tmp_path, "yesterday", slot_minutes=15)
    hours = np.asarray(forecast.values).reshape(24, 4).mean(axis=1)
    expected = ACTUAL[-2]
    if minutes > 60:
        expected = np.repeat(expected.reshape(12, 2).mean(axis=1), 2)
    assert hours == pytest.approx(expected)


@pytest.mark.parametrize("day", [date(2026, 10, 25), date(2026, 10, 26)])
def test_clock_change_keeps_the_hour_of_the_clock(tmp_path: Path, day: date) -> None:
    first = date(2026, 10, 19)
    # in each hour of UTC, the hour that the clock in Berlin shows
    times = np.arange(24 * 9)
    shown = [
        (midnight(first) + timedelta(hours=int(h))).astimezone(_berlin()).hour
        for h in times
    ]
    values = 100.0 + np.array(shown)
    write_history(tmp_path / "history.parquet", record_of_days(values, first=first))
    grid = day_grid(day, timezone="Europe/Berlin", slot_minutes=60)
    forecast = carbon(
        tmp_path, "yesterday", day=day, timezone="Europe/Berlin", now=grid.start
    )
    clock = [grid.slot_start(s).astimezone(_berlin()).hour for s in range(grid.n_slots)]
    assert len(clock) == (25 if day.day == 25 else 24)
    assert forecast.values == pytest.approx(100.0 + np.array(clock))


def _berlin() -> Any:
    from zoneinfo import ZoneInfo

    return ZoneInfo("Europe/Berlin")


def test_measured_hours_of_today_are_given_as_they_were(root: Path) -> None:
    now = midnight(DAY) + timedelta(hours=15)
    forecast = carbon(root, "learned", now=now)
    assert forecast.values[:15] == pytest.approx(ACTUAL[-1, :15])
    assert forecast.quantiles[0.05][:15] == pytest.approx(ACTUAL[-1, :15])
    assert (forecast.values[15:] != ACTUAL[-1, 15:]).all()


def test_gap_of_a_day_is_bridged_by_the_day_before(tmp_path: Path) -> None:
    actual = ACTUAL.copy()
    actual[-2] = np.nan
    write_history(tmp_path / "history.parquet", record_of_days(actual))
    assert carbon(tmp_path, "yesterday").values == pytest.approx(ACTUAL[-3])


@pytest.mark.parametrize(
    ("days_late", "message"),
    [(20, "more than 14 days before"), (-60, "no value before")],
)
def test_history_too_old_or_not_yet_begun_is_refused(
    root: Path, days_late: int, message: str
) -> None:
    with pytest.raises(ForecastError, match=message):
        carbon(root, "learned", day=DAY + timedelta(days=days_late))


def test_implausible_value_of_the_past_is_left_out_and_told(tmp_path: Path) -> None:
    actual = ACTUAL.copy()
    actual[-2, 3] = 90_000.0
    write_history(tmp_path / "history.parquet", record_of_days(actual))
    forecast = carbon(tmp_path, "yesterday")
    assert forecast.values[3] == pytest.approx(ACTUAL[-3, 3])
    assert "1 implausible values of the past were left out" in forecast.notes


def test_history_goes_to_every_provider_of_the_chain(root: Path) -> None:
    forecast = carbon(root, "file", path="missing.csv", fallback=["yesterday"])
    assert forecast.provider == "yesterday"
    assert forecast.degraded


def test_weather_file_is_learnt_from_and_its_later_issues_are_not(root: Path) -> None:
    wind = 4000 - 10 * ACTUAL.ravel()
    plain = carbon(root, "learned").values
    seen = _with_weather(root, wind, issued_hours_before=12)
    assert np.abs(seen - ACTUAL[-1]).mean() < 0.6 * np.abs(plain - ACTUAL[-1]).mean()
    unseen = _with_weather(root, wind, issued_hours_before=-1)
    assert unseen == pytest.approx(plain)


def _with_weather(
    root: Path, wind: np.ndarray, *, issued_hours_before: int
) -> np.ndarray:
    record = record_of_days(wind)
    days_us = record.starts_us // (24 * HOUR_US) * 24 * HOUR_US
    instant = pa.timestamp("us", "UTC")
    columns = {
        "region": ["here"] * len(wind),
        "start": pa.array(record.starts_us).cast(instant),
        "issued_at": pa.array(days_us - issued_hours_before * HOUR_US).cast(instant),
        "wind_mw": wind,
    }
    pa_parquet.write_table(pa.table(columns), root / "weather.parquet")
    return np.asarray(carbon(root, "learned", weather="weather.parquet").values)


def test_weather_file_without_any_quantity_is_refused(root: Path) -> None:
    (root / "weather.csv").write_text("region,start\nhere,2026-08-03T00:00Z\n")
    with pytest.raises(ForecastError, match="0 columns besides region"):
        carbon(root, "learned", weather="weather.csv")


def published_file(root: Path, values: np.ndarray) -> dict[str, str]:
    record = record_of_days(values)
    days_us = record.starts_us // (24 * HOUR_US) * 24 * HOUR_US
    write_history(root / "said.parquet", replace(record, issues_us=days_us - HOUR_US))
    return {"provider": "file", "path": "said.parquet"}


def test_blend_corrects_the_source_by_its_past_issues(root: Path) -> None:
    source = published_file(root, ACTUAL + 60)
    forecast = carbon(root, "blend", source=source)
    assert abs((forecast.values - ACTUAL[-1]).mean()) < 20
    assert not forecast.degraded
    assert forecast.issued_at == midnight(DAY) - timedelta(hours=1)


def test_blend_takes_past_issues_from_what_was_kept(root: Path) -> None:
    kept = root / "outputs" / "forecasts" / "history" / "file" / "DE"
    for row in range(20, N_DAYS):
        start = midnight(FIRST + timedelta(days=row))
        keep_issue(
            kept, _issue(ACTUAL[row] + 60, start), provider="file", fetched_at=start
        )
    only_today = np.full_like(ACTUAL, np.nan)
    only_today[-1] = ACTUAL[-1] + 60
    source = published_file(root, only_today)
    forecast = carbon(root, "blend", source=source, zone="DE")
    assert abs((forecast.values - ACTUAL[-1]).mean()) < 25


def _issue(values: np.ndarray, start: datetime) -> Observations:
    grid = day_grid(start.date(), timezone="UTC", slot_minutes=60)
    return Observations(
        series=Series.CARBON,
        place="DE",
        times_us=grid.starts_us(),
        values=values,
        unit="g/kWh",
        signal=Signal.AVERAGE,
        issued_at=start - timedelta(hours=1),
    )


def test_kept_issue_counts_from_when_it_was_fetched(tmp_path: Path) -> None:
    from forecasts.own.record import known_at, read_record

    start = midnight(FIRST)
    folder = tmp_path / "kept"
    fetched = start + timedelta(hours=30)
    keep_issue(folder, _issue(ACTUAL[0], start), provider="file", fetched_at=fetched)
    request = replace(request_of(root=tmp_path), region=region_of(zone="DE"))
    record = read_record(request, "kept")
    before = known_at(record, fetched - timedelta(seconds=1))
    assert len(before.values) == 0
    assert known_at(record, fetched).values == pytest.approx(ACTUAL[0])


def test_blend_without_its_source_is_learned_and_degraded(root: Path) -> None:
    source = {"provider": "file", "path": "missing.csv"}
    forecast = carbon(root, "blend", source=source)
    assert forecast.degraded
    assert forecast.values == pytest.approx(carbon(root, "learned").values)
    assert "only history was used because file" in forecast.notes[0]


def test_blend_refuses_to_mix_average_with_marginal(root: Path) -> None:
    source = {**published_file(root, ACTUAL), "signal": "marginal"}
    with pytest.raises(ForecastError, match="marginal values, the history holds"):
        carbon(root, "blend", source=source)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"provider": "fil", "path": "x"}, "did you mean file"),
        ({"provider": "file", "pth": "x"}, "pth"),
        ({}, "no forecast provider is called ''"),
    ],
)
def test_blend_names_what_is_wrong_with_its_source(
    root: Path, source: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        carbon(root, "blend", source=source)


def test_price_may_be_negative_and_keeps_its_currency(tmp_path: Path) -> None:
    prices = np.sin(np.arange(24 * 20) / 24 * 2 * np.pi) * 0.1
    rows = ["region,start,price_per_kwh,unit"]
    for hour, price in enumerate(prices):
        at = midnight(FIRST) + timedelta(hours=hour)
        rows.append(f"here,{at.isoformat()},{price},EUR/kWh")
    (tmp_path / "prices.csv").write_text("\n".join(rows))
    workspace = workspace_of(
        tmp_path,
        forecasts={"price": {"provider": "yesterday", "history": "prices.csv"}},
    )
    grid = day_grid(FIRST + timedelta(days=19), timezone="UTC", slot_minutes=60)
    (price,) = gather(workspace, grid, now=grid.start).price or ()
    assert price.values.min() == pytest.approx(-0.1)
    assert price.currency == "EUR"

"""Faults of clocks and horizons."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, date, datetime

import pytest

from inputs.timegrid import day_grid, local_midnight, resolve_date


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"slot_minutes": 0}, "slot_minutes 0 is not one of"),
        ({"slot_minutes": 1}, "slot_minutes 1 is not one of"),
        ({"slot_minutes": -5}, "slot_minutes -5 is not one of"),
        ({"horizon_hours": 30 * 8766}, "is not in 1 … 168"),
        ({"horizon_hours": 169}, "is not in 1 … 168"),
        ({"horizon_hours": 0}, "is not in 1 … 168"),
    ],
)
def test_in_05_huge_horizons_are_refused_before_memory_is_taken(
    options: dict[str, int], told: str
) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=told):
            day_grid(
                date(2026, 1, 1), **{"timezone": "UTC", "slot_minutes": 5, **options}
            )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("day", [date.min, date.max, date(1969, 12, 31)])
def test_in_05_dates_beyond_reason_are_refused(day: date) -> None:
    with pytest.raises(ValueError, match="1970 … 2199"):
        day_grid(day, timezone="UTC", slot_minutes=15)


def test_a_day_that_a_zone_skipped_is_refused() -> None:
    with pytest.raises(ValueError, match="does not exist in Pacific/Apia"):
        day_grid(date(2011, 12, 30), timezone="Pacific/Apia", slot_minutes=15)


def test_a_day_whose_midnight_is_skipped_starts_at_its_first_instant() -> None:
    start = local_midnight(date(2018, 11, 4), "America/Sao_Paulo")
    assert start == datetime(2018, 11, 4, 3, tzinfo=UTC)


SITES = {
    "UTC": "2026-11-22",
    "Europe/Berlin": "2026-11-23",
    "America/New_York": "2026-11-22",
    "Pacific/Kiritimati": "2026-11-23",
}


@pytest.mark.parametrize(("zone", "tomorrow"), SITES.items())
def test_cl_03_tomorrow_is_the_sites_not_the_hosts(
    zone: str, tomorrow: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 11, 21, 23, 59, 59, tzinfo=UTC)
    for host in ("Asia/Tokyo", "America/Los_Angeles"):
        monkeypatch.setenv("TZ", host)
        assert str(resolve_date("tomorrow", now=now, timezone=zone)) == tomorrow


@pytest.mark.parametrize(
    ("clock", "tomorrow"),
    [("23:59:59", "2026-11-23"), ("00:00:01", "2026-11-23")],
)
def test_cl_03_the_date_is_fixed_by_local_midnight(clock: str, tomorrow: str) -> None:
    day = "2026-11-22"
    now = datetime.fromisoformat(f"{day}T{clock}+01:00")
    assert str(resolve_date("tomorrow", now=now, timezone="Europe/Berlin")) == tomorrow


@pytest.mark.parametrize(
    "text", ["", "yesterday", "2026-1-1", "20261122", "2026-W47-7"]
)
def test_other_dates_are_refused(text: str) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    with pytest.raises(ValueError, match="is not today, tomorrow or YYYY-MM-DD"):
        resolve_date(text, now=now, timezone="UTC")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-11-31", "is in no calendar"),
        ("9999-12-31", "is not in 1970 … 2199"),
        ("0001-01-01", "is not in 1970 … 2199"),
        ("2011-12-30", "does not exist in Pacific/Apia"),
    ],
)
def test_a_date_that_cannot_be_planned_says_why(text: str, why: str) -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    with pytest.raises(ValueError, match=why):
        resolve_date(text, now=now, timezone="Pacific/Apia")

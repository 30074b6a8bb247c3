"""A local day has as many slots as it really has, whatever its clocks do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inputs.timegrid import (
    SLOT_MINUTES,
    day_grid,
    from_us,
    local_midnight,
    resolve_date,
    to_us,
)

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


def changes(zone: str) -> list[tuple[date, timedelta]]:
    """Days of 2020–2035 whose length is not 24 hours, and by how much."""
    found = []
    day = date(2020, 1, 1)
    while day.year < 2036:
        after = day + timedelta(days=1)
        length = local_midnight(after, zone) - local_midnight(day, zone)
        if length != timedelta(hours=24):
            found.append((day, length - timedelta(hours=24)))
        day = after
    return found


CHANGES = {zone: changes(zone) for zone in ZONES}


@pytest.mark.parametrize("zone", ZONES)
def test_clocks_change_twice_a_year(zone: str) -> None:
    shift = timedelta(minutes=30 if zone == "Australia/Lord_Howe" else 60)
    assert len(CHANGES[zone]) == 32
    assert {change for _, change in CHANGES[zone]} == {shift, -shift}


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("minutes", SLOT_MINUTES)
def test_cl_01_short_days_have_their_real_number_of_slots(
    zone: str, minutes: int
) -> None:
    step = timedelta(minutes=minutes)
    for day, change in CHANGES[zone]:
        if change > timedelta(0):
            continue
        grid = day_grid(day, timezone=zone, slot_minutes=minutes)
        assert grid.n_slots == (timedelta(hours=24) + change) // step
        written = {from_us(us).astimezone(ZoneInfo(zone)) for us in grid.starts_us()}
        assert all(x.astimezone(UTC).astimezone(x.tzinfo) == x for x in written)
        assert {x.date() for x in written} == {day}
        assert grid.local_days().tolist() == [0] * grid.n_slots


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("minutes", SLOT_MINUTES)
def test_cl_02_long_days_tell_both_repeated_hours_apart(
    zone: str, minutes: int
) -> None:
    step = timedelta(minutes=minutes)
    for day, change in CHANGES[zone]:
        if change < timedelta(0):
            continue
        grid = day_grid(day, timezone=zone, slot_minutes=minutes)
        assert grid.n_slots == (timedelta(hours=24) + change) // step
        starts = grid.starts_us()
        assert len(np.unique(starts)) == grid.n_slots
        walls = [from_us(us).astimezone(ZoneInfo(zone)) for us in starts]
        assert {x.date() for x in walls} == {day}
        if change % step == timedelta(0):
            repeated = len(walls) - len({x.replace(tzinfo=None, fold=0) for x in walls})
            assert repeated == change // step


@given(
    day=st.dates(date(2020, 1, 1), date(2035, 12, 31)),
    zone=st.sampled_from(ZONES),
    minutes=st.sampled_from(SLOT_MINUTES),
    hours=st.integers(1, 168),
)
@settings(max_examples=150, deadline=None)
def test_slots_are_equal_elapsed_time_from_local_midnight(
    day: date, zone: str, minutes: int, hours: int
) -> None:
    grid = day_grid(day, timezone=zone, slot_minutes=minutes, horizon_hours=hours)
    step = timedelta(minutes=minutes)
    first = grid.start.astimezone(ZoneInfo(zone))
    assert (first.date(), first.hour, first.minute) == (day, 0, 0)
    assert set(np.diff(grid.starts_us()).tolist()) <= {
        step // timedelta(microseconds=1)
    }
    days, rest = divmod(hours, 24)
    after = local_midnight(day + timedelta(days=days), zone) + timedelta(hours=rest)
    assert timedelta(0) <= after - grid.end < step
    days_of = grid.local_days()
    assert days_of[0] == 0
    assert set(np.diff(days_of).tolist()) <= {0, 1}


@given(
    now=st.datetimes(datetime(2020, 1, 1), datetime(2035, 12, 30)),  # noqa: DTZ001
    zone=st.sampled_from(ZONES),
)
@settings(max_examples=60, deadline=None)
def test_tomorrow_is_the_day_after_today_and_both_are_the_sites(
    now: datetime, zone: str
) -> None:
    clock = now.replace(tzinfo=UTC)
    today = resolve_date("today", now=clock, timezone=zone)
    assert today == clock.astimezone(ZoneInfo(zone)).date()
    tomorrow = resolve_date("tomorrow", now=clock, timezone=zone)
    assert tomorrow - today == timedelta(days=1)
    assert resolve_date(today.isoformat(), now=clock, timezone=zone) == today


@given(us=st.integers(0, 2**52))
@settings(max_examples=100, deadline=None)
def test_microseconds_lose_nothing(us: int) -> None:
    assert to_us(from_us(us)) == us

"""Local days as rows and hours of the clock as columns."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from forecasts.own.calendar import DAY_US, calendar_of, local_us
from forecasts.own.past import latest_level, newest_known
from inputs.timegrid import to_us
from tests.factories_past import HOUR_US, past_of

BERLIN = "Europe/Berlin"


def us(*parts: int) -> int:
    return to_us(datetime(*parts, tzinfo=UTC))


def test_same_hour_of_the_clock_is_the_same_column_on_both_sides_of_a_change() -> None:
    calendar = calendar_of(
        date(2026, 10, 24), date(2026, 10, 26), timezone=BERLIN, step_us=HOUR_US
    )
    noon_before, noon_after = us(2026, 10, 24, 10), us(2026, 10, 25, 11)
    cells = calendar.cells(np.array([noon_before, noon_after]))
    assert (cells % 24).tolist() == [12, 12]
    assert (cells // 24).tolist() == [0, 1]


def test_doubled_hour_of_autumn_is_one_cell_with_the_mean_of_both() -> None:
    calendar = calendar_of(
        date(2026, 10, 25), date(2026, 10, 25), timezone=BERLIN, step_us=HOUR_US
    )
    times = np.array([us(2026, 10, 25, 0), us(2026, 10, 25, 1)])
    table = calendar.table(times, np.array([100.0, 300.0]))
    assert table[0, 2] == 200.0
    assert np.isnan(np.delete(table[0], 2)).all()
    assert calendar.ends_us[0, 2] == us(2026, 10, 25, 2)


def test_skipped_hour_of_spring_is_a_cell_that_nothing_falls_into() -> None:
    calendar = calendar_of(
        date(2026, 3, 29), date(2026, 3, 29), timezone=BERLIN, step_us=HOUR_US
    )
    times = us(2026, 3, 28, 23) + HOUR_US * np.arange(23)
    table = calendar.table(times, np.ones(23))
    assert np.flatnonzero(np.isnan(table[0])).tolist() == [2]
    assert calendar.ends_us[0, 3] == us(2026, 3, 29, 2)
    assert calendar.ends_us[0, -1] == us(2026, 3, 29, 22)


@pytest.mark.parametrize("timezone", ["Asia/Kolkata", "Australia/Lord_Howe", "UTC"])
def test_clock_on_the_wall_is_what_zoneinfo_says(timezone: str) -> None:
    from zoneinfo import ZoneInfo

    times = us(2026, 3, 1) + 900_000_000 * np.arange(4 * 24 * 60)
    shown = local_us(times, timezone)
    for at, wall in zip(times[::97].tolist(), shown[::97].tolist(), strict=True):
        aware = datetime.fromtimestamp(at / 1e6, ZoneInfo(timezone))
        assert wall == to_us(aware.replace(tzinfo=UTC))


def test_newest_known_value_skips_gaps_and_what_had_not_ended() -> None:
    actual = np.arange(4)[:, None] * 100.0 + np.arange(24)
    actual[2, 5] = np.nan
    newest = newest_known(past_of(actual, lead_hours=12))[3]
    assert newest[0] == 200  # of the day before
    assert newest[5] == 105  # a gap the day before
    assert newest[11] == 211  # ended just at noon
    assert newest[12] == 112  # had not ended at noon


def test_nth_newest_value_and_same_weekday_look_further_back() -> None:
    actual = np.arange(16)[:, None] + np.zeros(24)
    past = past_of(actual)
    assert (newest_known(past, nth=2)[15] == 13).all()
    assert (newest_known(past, stride=7)[15] == 8).all()
    assert (newest_known(past, stride=7, nth=2)[15] == 1).all()


def test_latest_level_is_the_mean_of_the_last_hours_before_the_cut() -> None:
    actual = np.arange(48.0).reshape(2, 24)
    assert latest_level(past_of(actual), hours=2)[1] == pytest.approx(22.5)
    assert latest_level(past_of(actual, lead_hours=3), hours=2)[1] == 19.5
    actual[0, 23] = np.nan
    assert latest_level(past_of(actual), hours=2)[1] == 22.0


def test_quarter_hours_have_four_columns_an_hour() -> None:
    calendar = calendar_of(
        date(2026, 8, 3), date(2026, 8, 4), timezone=BERLIN, step_us=DAY_US // 96
    )
    assert calendar.shape == (2, 96)
    assert calendar.cells(np.array([us(2026, 8, 2, 22, 15)])).tolist() == [1]

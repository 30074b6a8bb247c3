from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from forecasts.errors import ForecastIncompleteError, ForecastUnavailableError
from forecasts.intervals import arrange, interval_lengths
from forecasts.provider import Stamp
from inputs.timegrid import to_us
from tests.factories_forecast import (
    HOUR_US,
    day_values,
    grid_of,
    observations_of,
    prepared,
    request_of,
)

MINUTE_US = HOUR_US // 60


def lengths(*minutes: int, stamp: Stamp = Stamp.START) -> list[int]:
    times = np.array(minutes, dtype=np.int64) * MINUTE_US
    return (interval_lengths(times, stamp) // MINUTE_US).tolist()


def test_step_is_the_distance_of_the_stamps() -> None:
    assert lengths(0, 30, 60, 90) == [30, 30, 30, 30]


def test_missing_row_is_a_hole_and_not_a_longer_interval() -> None:
    assert lengths(0, 15, 30, 90, 105, 120) == [15] * 6


def test_change_of_step_is_believed_after_three() -> None:
    assert lengths(0, 60, 120, 180, 195, 210, 225) == [60, 60, 60, 15, 15, 15, 15]


def test_end_stamps_look_backwards() -> None:
    minutes = (60, 120, 180, 240, 255, 270, 285)
    assert lengths(*minutes, stamp=Stamp.END) == [60, 60, 60, 60, 15, 15, 15]


def test_stray_stamp_in_between_never_makes_an_overlap() -> None:
    assert lengths(0, 60, 120, 150, 180, 240, 300) == [60, 60, 30, 30, 60, 60, 60]


def test_single_value_without_a_step_is_refused() -> None:
    with pytest.raises(ForecastIncompleteError, match="state the step"):
        lengths(0)


def test_days_apart_are_refused_unless_the_step_is_stated() -> None:
    with pytest.raises(ForecastIncompleteError, match="1 day, 0:00:00 apart"):
        lengths(0, 1440, 2880)
    daily = observations_of([100.0], steps_us=np.array([24 * HOUR_US]))
    assert (prepared(daily).values == 100).all()


@pytest.mark.parametrize(
    ("stamp", "shift_min"), [(Stamp.START, 0), (Stamp.MIDDLE, 30), (Stamp.END, 60)]
)
def test_stamp_convention_only_moves_the_stamps(stamp: Stamp, shift_min: int) -> None:
    plain = observations_of(day_values())
    moved = observations_of(
        day_values(), times_us=plain.times_us + shift_min * MINUTE_US, stamp=stamp
    )
    assert (prepared(moved).values == prepared(plain).values).all()


def test_newest_issue_that_is_known_by_now_wins() -> None:
    grid, request = grid_of(), request_of()
    now_us = to_us(request.now)
    issues = np.repeat([now_us - HOUR_US, now_us - 2 * HOUR_US, now_us + 1], 24)
    values = np.repeat([200.0, 100.0, 300.0], 24)
    times = np.tile(grid.start_us + HOUR_US * np.arange(24), 3)
    forecast = prepared(
        observations_of(values, times_us=times, issues_us=issues), request
    )
    assert (forecast.values == 200).all()
    assert forecast.issued_at == request.now - timedelta(hours=1)
    assert any("24 values issued after now" in note for note in forecast.notes)


def test_older_issue_fills_what_the_newest_leaves_out_and_counts_as_the_age() -> None:
    grid, request = grid_of(), request_of()
    now_us = to_us(request.now)
    issues = np.r_[np.full(24, now_us - 5 * HOUR_US), np.full(6, now_us)]
    values = np.r_[np.full(24, 100.0), np.full(6, 300.0)]
    times = grid.start_us + HOUR_US * np.r_[np.arange(24), np.arange(6)]
    forecast = prepared(
        observations_of(values, times_us=times, issues_us=issues), request
    )
    assert forecast.values.tolist() == [300.0] * 6 + [100.0] * 18
    assert forecast.issued_at == request.now - timedelta(hours=5)
    assert any("several issues" in note for note in forecast.notes)


def test_only_later_issues_means_nothing_is_known() -> None:
    request = request_of()
    issues = np.full(24, to_us(request.now) + 1)
    with pytest.raises(ForecastUnavailableError, match="issued after now"):
        prepared(observations_of(day_values(), issues_us=issues), request)


def test_overlapping_stated_intervals_are_refused() -> None:
    steps = np.full(24, 2 * HOUR_US)
    with pytest.raises(ForecastIncompleteError, match="before the one before"):
        prepared(observations_of(day_values(), steps_us=steps))


def test_values_of_other_days_play_no_part() -> None:
    grid = grid_of()
    values = np.r_[[1e9] * 24, np.full(12, 90.0), day_values()]
    times = grid.start_us + HOUR_US * (np.arange(60) - 36)
    arranged = arrange(observations_of(values, times_us=times), request_of())
    assert arranged.columns.max() < 1000


def test_number_of_an_older_issue_beats_a_hole_of_the_newest() -> None:
    request = request_of()
    issues = np.repeat([to_us(request.now) - HOUR_US, to_us(request.now)], 24)
    values = np.r_[np.full(24, 100.0), np.full(24, 200.0)]
    values[24 + 5] = np.nan
    times = np.tile(grid_of().start_us + HOUR_US * np.arange(24), 2)
    told = observations_of(values, times_us=times, issues_us=issues)
    forecast = prepared(told, request)
    assert forecast.values[[4, 5, 6]].tolist() == [200, 100, 200]
    assert forecast.filled_slots == 0


def test_two_equal_holes_in_a_row_are_still_holes() -> None:
    assert lengths(0, 15, 30, 60, 90, 105, 120, 135) == [15] * 8

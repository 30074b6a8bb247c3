from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from forecasts.errors import ForecastIncompleteError
from forecasts.intervals import Intervals
from forecasts.resample import to_slots
from forecasts.series import Quality
from inputs.timegrid import TimeGrid
from tests.factories_forecast import HOUR_US, grid_of

MINUTE_US = HOUR_US // 60


def intervals_of(grid: TimeGrid, *rows: tuple[float, float, float]) -> Intervals:
    """Rows of (start, length, value) in minutes from the start of the grid."""
    starts, steps, values = np.array(rows, dtype=np.float64).T
    return Intervals(
        starts_us=grid.start_us + (starts * MINUTE_US).astype(np.int64),
        steps_us=(steps * MINUTE_US).astype(np.int64),
        columns=values[np.newaxis],
    )


def short_grid(hours: int, minutes: int = 30) -> TimeGrid:
    return grid_of(slot_minutes=minutes, horizon_hours=hours)


def slots(
    grid: TimeGrid, *rows: tuple[float, float, float], gap_h: float = 2
) -> tuple[list[float], list[bool]]:
    result = to_slots(intervals_of(grid, *rows), grid, max_gap=timedelta(hours=gap_h))
    return result.columns[0].tolist(), result.filled.tolist()


def test_hours_are_copied_to_their_half_hours_to_the_last_bit() -> None:
    values, filled = slots(short_grid(2), (0, 60, 100.1), (60, 60, 300.7))
    assert values == [100.1, 100.1, 300.7, 300.7]
    assert not any(filled)


def test_quarters_of_an_hour_become_the_mean_of_the_hour() -> None:
    rows = [(15 * i, 15, v) for i, v in enumerate([10, 20, 30, 40])]
    assert slots(short_grid(1, 60), *rows)[0] == [25]


def test_misaligned_hours_are_weighted_by_overlap() -> None:
    # 10 minutes of 120 and 20 of 60, then 30 of 60, worked out by hand
    values, _ = slots(short_grid(1), (-50, 60, 120), (10, 60, 60))
    assert values == pytest.approx([80, 60], rel=1e-15)


def test_mixed_steps_keep_each_interval_its_own_weight() -> None:
    values, _ = slots(short_grid(1, 60), (0, 30, 100), (30, 15, 200), (45, 15, 400))
    assert values == [200]


def test_short_hole_is_the_straight_line_between_interval_middles() -> None:
    values, filled = slots(short_grid(3, 60), (0, 60, 100), (120, 60, 300), gap_h=1)
    assert values == [100, 200, 300]
    assert filled == [False, True, False]


def test_partly_covered_slot_counts_as_filled() -> None:
    _, filled = slots(short_grid(2, 60), (0, 60, 100), (90, 30, 100))
    assert filled == [False, True]


def test_hole_longer_than_allowed_is_refused_with_its_span() -> None:
    with pytest.raises(ForecastIncompleteError, match=r"01:00.* to .*03:00"):
        slots(short_grid(4, 60), (0, 60, 1), (180, 60, 1), gap_h=1.9)


def test_edges_are_held_for_one_step_of_the_source_and_no_more() -> None:
    values, filled = slots(short_grid(2), (30, 30, 7), (60, 30, 9))
    assert values == [7, 7, 9, 9]
    assert filled == [True, False, False, True]
    with pytest.raises(ForecastIncompleteError):
        slots(short_grid(2), (30, 30, 7), (60, 29, 9))


def test_edge_is_not_held_beyond_the_longest_gap() -> None:
    with pytest.raises(ForecastIncompleteError):
        slots(short_grid(2, 60), (0, 60, 7), gap_h=0.5)


def test_data_beyond_the_horizon_help_to_fill_its_edge() -> None:
    values, filled = slots(short_grid(1), (-60, 60, 100), (30, 30, 100))
    assert values == [100, 100]
    assert filled == [True, False]


def test_nothing_at_all_is_refused() -> None:
    empty = Intervals(
        starts_us=np.zeros(0, np.int64),
        steps_us=np.zeros(0, np.int64),
        columns=np.zeros((1, 0)),
    )
    with pytest.raises(ForecastIncompleteError, match="no value at all"):
        to_slots(empty, short_grid(1), max_gap=timedelta(hours=2))


@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)]
)
def test_short_and_long_days_keep_their_energy(day: date, hours: int) -> None:
    grid = grid_of(day, timezone="Europe/Berlin", slot_minutes=15)
    rows = [(60 * i, 60, 10 + i) for i in range(hours)]
    values, _ = slots(grid, *rows)
    assert len(values) == 4 * hours
    assert sum(values) * 0.25 == sum(10 + i for i in range(hours))


def test_filled_typical_slots_stay_typical() -> None:
    result = to_slots(
        intervals_of(short_grid(3, 60), (0, 60, 1), (120, 60, 1)),
        short_grid(3, 60),
        max_gap=timedelta(hours=2),
    )
    assert result.quality(Quality.PROVIDED).tolist() == [0, 1, 0]
    assert result.quality(Quality.TYPICAL).tolist() == [2, 2, 2]

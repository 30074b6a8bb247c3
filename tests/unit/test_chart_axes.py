"""Axes and shapes of the charts, worked out by hand."""

from __future__ import annotations

import math
import re
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inputs.timegrid import day_grid
from outputs.charts.delays import delays
from outputs.charts.emissions import region_kg
from outputs.charts.figure import time_sheet
from outputs.charts.limits import limits_chart
from outputs.charts.marks import shade_levels, step_area, step_line
from outputs.charts.scales import (
    TimeAxis,
    ValueAxis,
    coarser,
    round_step,
    run_edges,
)
from outputs.sheets import limits_sheet
from tests.factories_comparison import (
    make_comparison,
    make_policy,
    synthetic_comparison,
)


def axis(
    day: date, zone: str = "Europe/Berlin", *, hours: int = 24, width: float = 600.0
) -> TimeAxis:
    grid = day_grid(day, timezone=zone, slot_minutes=30, horizon_hours=hours)
    return TimeAxis(grid=grid, left=0.0, width=width)


@pytest.mark.parametrize(
    ("day", "hours", "elapsed_at_six"),
    [
        (date(2026, 6, 21), 24, 6),
        (date(2026, 3, 29), 23, 5),
        (date(2026, 10, 25), 25, 7),
    ],
)
def test_hours_stand_where_they_are_on_days_of(
    day: date, hours: int, elapsed_at_six: int
) -> None:
    ticks = axis(day, width=150.0).ticks()
    assert [tick.label for tick in ticks] == ["00", "06", "12", "18", ""]
    assert ticks[1].at == pytest.approx(150 * elapsed_at_six / hours)
    assert ticks[-1].at == pytest.approx(150.0)


def test_both_twos_of_a_25_hour_day_are_marked() -> None:
    labels = [tick.label for tick in axis(date(2026, 10, 25), width=900.0).ticks()]
    assert labels.count("02") == 2
    assert len(labels) == 26


@pytest.mark.parametrize(
    ("zone", "day", "label", "elapsed"),
    [
        ("Europe/Berlin", date(2026, 10, 25), "−1 h", 3 / 25),
        ("Europe/Berlin", date(2026, 3, 29), "+1 h", 2 / 23),
        ("Europe/London", date(2026, 3, 29), "+1 h", 1 / 23),
        ("Australia/Lord_Howe", date(2026, 4, 5), "−0.5 h", 2 / 24.5),
    ],
)
def test_clock_change_is_marked(
    zone: str, day: date, label: str, elapsed: float
) -> None:
    (change,) = axis(day, zone).clock_changes()
    assert change.label == label
    assert change.at == pytest.approx(600 * elapsed)


def test_usual_day_has_no_clock_change() -> None:
    assert axis(date(2026, 6, 21)).clock_changes() == []


def test_long_horizon_has_one_tick_for_each_local_midnight() -> None:
    ticks = axis(date(2026, 10, 24), hours=72).ticks()
    assert [tick.label for tick in ticks] == ["Sat 24", "Sun 25", "Mon 26"]
    assert [round(tick.at / 600 * 73) for tick in ticks] == [0, 24, 49]


def test_value_ticks_are_round_and_end_within_the_axis() -> None:
    labels = [t.label for t in ValueAxis(top=47.0, base=0, height=1).ticks(5)]
    assert labels == ["0", "10", "20", "30", "40"]


def test_value_ticks_of_small_amounts_keep_their_decimals() -> None:
    labels = [t.label for t in ValueAxis(top=0.05, base=0, height=1).ticks(3)]
    assert labels == ["0.00", "0.02", "0.04"]


@settings(max_examples=50, deadline=None)
@given(st.floats(1e-6, 1e9))
def test_every_axis_shows_an_amount_besides_zero(top: float) -> None:
    assert len(ValueAxis(top=top, base=0, height=1).ticks(3)) >= 2


def test_axis_without_any_amount_has_zero_alone() -> None:
    y = ValueAxis(top=0.0, base=10, height=5)
    assert [(t.label, t.at) for t in y.ticks()] == [("0", 10)]
    assert y.positions(np.array([3.0])).tolist() == [10.0]


@settings(max_examples=100, deadline=None)
@given(st.floats(1e-9, 1e12), st.integers(1, 10))
def test_round_step_makes_neither_too_many_nor_too_few_ticks(
    top: float, most: int
) -> None:
    step = round_step(top, most)
    assert top / step <= most + 1e-6
    assert top / step > most / 2.5 - 1e-6
    digit = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(digit - d) for d in (1, 2, 5, 10)) < 1e-6


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=80), st.integers(1, 90))
def test_coarser_drawing_keeps_the_energy(values: list[float], most: int) -> None:
    array = np.array(values)
    means = coarser(array, most)
    lengths = np.diff(run_edges(len(values), most))
    assert len(means) == len(lengths) <= most
    assert (means * lengths).sum() == pytest.approx(array.sum(), rel=1e-9, abs=1e-6)


def test_step_line_is_flat_over_each_slot() -> None:
    x = TimeAxis(
        grid=day_grid(
            date(2026, 1, 1), timezone="UTC", slot_minutes=60, horizon_hours=4
        ),
        left=0.0,
        width=40.0,
    )
    y = ValueAxis(top=10.0, base=100.0, height=100.0)
    values = np.array([1.0, 1.0, 5.0, 0.0])
    path = re.findall(r' d="([^"]*)"', step_line(values, x, y, "ink"))
    assert path == ["M0 90H20V50H30V100H40"]
    (area,) = re.findall(r' d="([^"]*)"', step_area(values, x, y, "ink"))
    assert area == "M0 90H20V50H30V100H40L40 100H0Z"


def test_steps_too_small_for_a_whole_pixel_are_drawn() -> None:
    grid = day_grid(date(2026, 1, 1), timezone="UTC", slot_minutes=60, horizon_hours=2)
    x = TimeAxis(grid=grid, left=0.0, width=20.0)
    y = ValueAxis(top=10.0, base=100.0, height=100.0)
    drawn = step_line(np.array([1.0, 1.03]), x, y, "ink")
    assert 'd="M0 90H10V89.7H20"' in drawn


def test_area_without_height_is_not_drawn() -> None:
    x = axis(date(2026, 6, 21))
    y = ValueAxis(top=1.0, base=0.0, height=1.0)
    assert step_area(np.zeros(48), x, y, "sun") == ""


def test_any_amount_above_zero_has_a_shade() -> None:
    levels = shade_levels(np.array([0.0, 1e-9, 0.5, 1.0]), 1.0, 4)
    assert levels.tolist() == [0, 1, 2, 4]


def test_what_running_sums_leave_where_there_is_nothing_stays_blank() -> None:
    left_over = np.array([0.3, 0.1, -0.3, -0.1]).cumsum()
    assert left_over[3] > 0
    assert shade_levels(left_over, 1.0, 4).tolist() == [2, 2, 1, 0]


def test_waiting_is_counted_in_half_open_bins() -> None:
    waits = np.array([0.0, 1.0, 1.0, 27.0, np.nan])
    policy = make_policy(
        "optimal",
        region=[0, 0, 0, 0, -1],
        emissions_kg=[1.0] * 5,
        job_delay_h=waits,
    )
    found = delays(make_comparison(policy))
    assert found.edges_h[1] == 1.0
    assert found.jobs["optimal"][:2].tolist() == [1, 2]
    assert found.jobs["optimal"][27] == 1
    assert found.jobs["optimal"].sum() == 4


def test_emissions_by_region_leave_unplaced_jobs_out() -> None:
    policy = make_policy(
        "optimal", region=[1, -1, 1, 0], emissions_kg=[1, 9, 2, 4], n_regions=2
    )
    assert region_kg(make_comparison(policy), policy).tolist() == [4.0, 3.0]


def test_limits_are_listed_fullest_first_with_their_full_hours() -> None:
    load = np.zeros((1, 24))
    load[0, 5:8] = 10.0
    usage = np.zeros((1, 1, 24))
    usage[0, 0, 3] = 2.0
    policy = make_policy(
        "optimal", n_resources=1, load_kw=load, grid_kw=load, usage=usage
    )
    day = make_comparison(
        policy,
        power_cap_kw=np.full((1, 24), 10.0),
        resources=("gpu",),
        capacity=np.full((1, 1, 24), 8.0),
    )
    rows = limits_sheet(day, policy).rows
    assert rows[0] == ("eu-north", "power kW", "10.0", "10.0", "100 %", "3")
    assert rows[1] == ("eu-north", "gpu", "2.0", "8.0", "25.0 %", "0")


def test_day_without_limits_has_no_chart_of_limits() -> None:
    assert limits_chart(make_comparison()) is None


def test_table_of_a_25_hour_day_tells_the_two_twos_apart() -> None:
    day = synthetic_comparison(day=date(2026, 10, 25))
    sheet = time_sheet(day.grid, {"g": day.g_per_kwh[0]})
    starts = [row[0] for row in sheet.rows]
    assert len(starts) == len(set(starts)) == 25
    assert {"02:00 +0200", "02:00 +0100"} <= set(starts)

"""What a user sees in a terminal of 80 columns."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from outputs.savings import by_region, by_team
from outputs.strips import BLOCKS, day_strips, ruler
from outputs.tables import as_text, policies, result, side_by_side
from tests.factories_comparison import (
    make_comparison,
    make_policy,
    synthetic_comparison,
)

DAYS = {
    "three regions": {"unplaced": 4},
    "one job": {"n_jobs": 1, "n_regions": 1},
    "23 hours": {"day": date(2026, 3, 29)},
    "25 hours": {"day": date(2026, 10, 25)},
    "a week of 5 minutes": {"horizon_hours": 168, "slot_minutes": 5, "n_jobs": 50},
    "20 regions": {"n_regions": 20},
    "one hour": {"horizon_hours": 5, "n_jobs": 5},
}


@pytest.mark.parametrize("name", DAYS)
def test_result_fits_in_80_columns(name: str) -> None:
    text = as_text(result(synthetic_comparison(**DAYS[name])))
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text


@pytest.mark.parametrize("name", DAYS)
def test_a_narrow_terminal_loses_no_figure(name: str) -> None:
    day = synthetic_comparison(**DAYS[name])
    text = as_text(result(day), width=60)
    assert max(map(len, text.splitlines())) <= 60
    for strip in day_strips(day):
        assert strip.intensity_range in text
        assert strip.peak in text
        assert strip.intensity in text


def test_result_has_one_line_for_each_policy() -> None:
    text = as_text(result(synthetic_comparison()))
    firsts = [line.split()[0] for line in text.splitlines() if line.strip()]
    assert [f for f in firsts if f in ("asap", "threshold", "greedy", "optimal")] == [
        *("asap", "threshold", "greedy", "optimal")
    ]


def test_figures_of_a_known_day_are_shown() -> None:
    day = make_comparison(
        make_policy("asap", emissions_kg=[200.0], seconds=0.01),
        make_policy("optimal", emissions_kg=[150.0], seconds=12.4, gap=0.0008),
    )
    line = next(s for s in as_text(policies(day)).splitlines() if "optimal" in s)
    assert line.split() == ["optimal", "150.0", "25.0", "%", "0", "12", "0.08", "%"]


def test_savings_are_named_as_planned_and_with_their_baseline() -> None:
    text = as_text(result(synthetic_comparison()))
    assert re.search(r"planned saving\s+.*\s+against asap", text)
    assert "saved" not in text


def test_saving_on_other_jobs_than_the_baseline_is_marked_and_explained() -> None:
    text = as_text(policies(synthetic_comparison(unplaced=4)))
    assert re.search(r"threshold .* \* \d", text)
    assert "* threshold against asap: counted on the 394 jobs" in text


def test_unproven_gap_is_not_a_figure() -> None:
    text = as_text(policies(make_comparison()))
    assert [line.split()[-1] for line in text.splitlines()[-2:]] == ["–", "–"]


def test_names_cannot_send_codes_to_the_terminal() -> None:
    day = make_comparison(
        make_policy("greedy"),
        make_policy("optimal"),
        regions=("\x1b[31mred\x07",),
        teams=("a\nb\u202e",),
    )
    shown = as_text(result(day)) + as_text(
        side_by_side(by_region(day, "greedy", "optimal"))
    )
    shown += as_text(side_by_side(by_team(day, "greedy", "optimal")))
    assert not set("\x1b\x07\u202e") & set(shown)
    assert "a\ufffdb\ufffd" in shown


def test_markup_of_the_table_library_in_names_is_shown_as_it_is() -> None:
    day = make_comparison(
        make_policy("greedy"), make_policy("optimal"), teams=("[bold]x[/bold]",)
    )
    assert "[bold]x[/bold]" in as_text(side_by_side(by_team(day, "greedy", "optimal")))


def test_side_by_side_ends_with_the_sum() -> None:
    text = as_text(side_by_side(by_team(synthetic_comparison(), "greedy", "optimal")))
    assert text.splitlines()[-1].startswith("all")


def test_strip_is_blank_exactly_where_there_is_no_load() -> None:
    load = np.zeros((1, 24))
    load[0, 10] = 1e-6
    load[0, 20] = 50.0
    policy = make_policy("optimal", load_kw=load, grid_kw=load)
    (strip,) = day_strips(make_comparison(policy))
    # Cells are half hours, and a slot of an hour is the shortest that there is.
    assert strip.load == " " * 10 + BLOCKS[1] + " " * 9 + BLOCKS[-1] + " " * 3
    assert strip.intensity == BLOCKS[-1] * 24


def test_strip_is_blank_where_rounding_left_next_to_nothing() -> None:
    load = np.zeros((1, 24))
    load[0, 10], load[0, 11:] = 8.0, 8.9e-16  # a running sum that came back to zero
    (strip,) = day_strips(make_comparison(make_policy("optimal", load_kw=load)))
    assert strip.load == " " * 10 + BLOCKS[-1] + " " * 13


def test_load_strip_is_relative_to_the_power_cap() -> None:
    load = np.full((1, 24), 50.0)
    policy = make_policy("optimal", load_kw=load, grid_kw=load)
    cap = np.full((1, 24), 100.0)
    (strip,) = day_strips(make_comparison(policy, power_cap_kw=cap))
    assert strip.load == BLOCKS[4] * 24
    assert strip.peak == "≤ 50 of 100 kW"


def test_only_the_busiest_regions_have_strips_and_the_rest_is_counted() -> None:
    day = synthetic_comparison(n_regions=20)
    energy = day.plan.load_kw.sum(axis=1)
    busiest = {day.regions[r] for r in np.argsort(-energy)[:6]}
    assert {strip.name for strip in day_strips(day)} == busiest
    assert "and 14 more regions" in as_text(result(day))


def test_ruler_of_a_25_hour_day_leaves_four_hours_between_00_and_03() -> None:
    grid = synthetic_comparison(day=date(2026, 10, 25)).grid
    line = ruler(grid)
    assert line.index("03") - line.index("00") == 8
    assert line.index("06") - line.index("03") == 6


def test_table_in_the_docs_is_what_is_printed() -> None:
    docs = (Path(__file__).parents[2] / "docs" / "report.md").read_text("utf-8")
    assert as_text(policies(synthetic_comparison(unplaced=4))) in docs

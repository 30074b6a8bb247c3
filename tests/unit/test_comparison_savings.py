"""Savings by hand: only jobs that both policies place are counted."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from outputs.comparison import NO_TEAM, encode_teams
from outputs.savings import by_region, by_team, saving
from tests.factories_comparison import make_comparison, make_policy


def test_saving_of_equal_sets_is_the_difference_of_the_totals() -> None:
    day = make_comparison(
        make_policy("asap", region=[0, 0], emissions_kg=[6.0, 4.0]),
        make_policy("optimal", region=[0, 0], emissions_kg=[3.0, 4.5]),
    )
    found = saving(day, "optimal", baseline="asap")
    assert found.avoided_kg == pytest.approx(2.5)
    assert found.fraction == pytest.approx(0.25)
    assert found.note is None


def test_leaving_a_job_out_is_no_saving() -> None:
    day = make_comparison(
        make_policy("asap", region=[0, 0], emissions_kg=[6.0, 4.0]),
        make_policy("optimal", region=[0, -1], emissions_kg=[6.0, 0.0]),
    )
    found = saving(day, "optimal", baseline="asap")
    assert (found.avoided_kg, found.jobs, found.left_out) == (0.0, 1, 1)
    assert found.note is not None
    assert "1 job that both place" in found.note
    assert "1 job placed by only one" in found.note


def test_saving_against_a_baseline_without_emissions_has_no_fraction() -> None:
    day = make_comparison(
        make_policy("asap", emissions_kg=[0.0]),
        make_policy("optimal", emissions_kg=[0.0]),
    )
    assert saving(day, "optimal", baseline="asap").fraction is None


def test_a_job_that_moves_stands_in_a_row_of_each_policy() -> None:
    day = make_comparison(
        make_policy("greedy", region=[0], emissions_kg=[5.0], n_regions=2),
        make_policy("optimal", region=[1], emissions_kg=[2.0], n_regions=2),
    )
    north, west = by_region(day, "greedy", "optimal").rows
    assert (north.left.jobs, north.right.jobs) == (1, 0)
    assert (west.left.jobs, west.right.jobs) == (0, 1)
    assert (north.avoided_kg, west.avoided_kg) == (5.0, -2.0)


def test_teams_without_counted_jobs_have_no_row() -> None:
    day = make_comparison(
        make_policy("greedy", region=[0, -1], emissions_kg=[5.0, 0.0]),
        make_policy("optimal", region=[0, 0], emissions_kg=[2.0, 9.0]),
        teams=("ads", "search"),
        job_team=np.array([1, 0], dtype=np.int32),
    )
    rows = by_team(day, "greedy", "optimal").rows
    assert [(row.name, row.left.emissions_kg) for row in rows] == [("search", 5.0)]


def test_teams_are_encoded_in_alphabetical_order() -> None:
    names, codes = encode_teams(pa.array(["search", None, "ads", "search"]))
    assert names == (NO_TEAM, "ads", "search")
    assert codes.tolist() == [2, 0, 1, 2]


def test_chunks_and_jobs_without_any_team_are_encoded() -> None:
    names, codes = encode_teams(pa.nulls(3, pa.string()))
    assert (names, codes.tolist()) == ((NO_TEAM,), [0, 0, 0])


def test_policy_with_other_slots_than_the_day_is_refused() -> None:
    with pytest.raises(ValueError, match=r"load_kw has shape \(1, 23\)"):
        make_comparison(
            make_policy("asap"), make_policy("optimal", load_kw=np.zeros((1, 23)))
        )


def test_policy_whose_counts_do_not_add_up_is_refused() -> None:
    with pytest.raises(ValueError, match="2 placed and 0 unplaced of 1 jobs"):
        make_policy("asap", placed=2)


def test_arrays_of_a_comparison_cannot_be_written() -> None:
    day = make_comparison()
    with pytest.raises(ValueError, match="read-only"):
        day.g_per_kwh[0, 0] = 0.0
    with pytest.raises(ValueError, match="read-only"):
        day.plan.job_emissions_kg[0] = 0.0

"""Arithmetic of savings that must hold for any two policies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outputs.comparison import Comparison
from outputs.savings import SideBySide, by_region, by_team, saving
from tests.factories_comparison import make_comparison, make_policy

N_REGIONS = 3
EXAMPLES = settings(max_examples=60, deadline=None)

regions = st.integers(-1, N_REGIONS - 1)
kilograms = st.floats(0, 1e6)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    n = draw(st.integers(1, 12))
    size = {"min_size": n, "max_size": n}
    days = [
        make_policy(
            name,
            region=draw(st.lists(regions, **size)),
            emissions_kg=draw(st.lists(kilograms, **size)),
            n_regions=N_REGIONS,
        )
        for name in ("greedy", "optimal")
    ]
    team = draw(st.lists(st.integers(0, 2), **size))
    return make_comparison(
        *days,
        teams=("ads", "etl", "search"),
        job_team=np.array(team, dtype=np.int32),
    )


def assert_rows_add_up(sides: SideBySide) -> None:
    whole = sides.saving
    for side, total in (("left", whole.baseline_kg), ("right", whole.plan_kg)):
        shares = [getattr(row, side) for row in sides.rows]
        assert sum(share.jobs for share in shares) == whole.jobs
        assert sum(s.emissions_kg for s in shares) == pytest.approx(total, rel=1e-9)


@EXAMPLES
@given(comparisons())
def test_regions_add_up_to_the_whole(day: Comparison) -> None:
    assert_rows_add_up(by_region(day, "greedy", "optimal"))


@EXAMPLES
@given(comparisons())
def test_teams_add_up_to_the_whole(day: Comparison) -> None:
    assert_rows_add_up(by_team(day, "greedy", "optimal"))


@EXAMPLES
@given(comparisons())
def test_turning_two_policies_round_turns_the_sign(day: Comparison) -> None:
    there = saving(day, "optimal", baseline="greedy")
    back = saving(day, "greedy", baseline="optimal")
    assert there.avoided_kg == -back.avoided_kg
    assert (there.jobs, there.left_out) == (back.jobs, back.left_out)


@EXAMPLES
@given(comparisons(), st.data())
def test_dropping_jobs_from_a_policy_saves_nothing(
    day: Comparison, data: st.DataObject
) -> None:
    before = day.policy("greedy")
    drop = np.array(data.draw(st.lists(st.booleans(), min_size=12, max_size=12)))
    kept = before.is_placed & ~drop[: day.n_jobs]
    kg = np.where(kept, before.job_emissions_kg, 0.0)
    lazy = replace(
        before,
        name="optimal",
        job_region=np.where(kept, before.job_region, -1).astype(np.int16),
        job_emissions_kg=kg,
        emissions_kg=float(kg.sum()),
        placed=int(kept.sum()),
        unplaced=int((~kept).sum()),
    )
    found = saving(make_comparison(before, lazy), "optimal", baseline="greedy")
    assert found.avoided_kg == pytest.approx(0.0, abs=1e-6)


@EXAMPLES
@given(comparisons(), st.floats(0.01, 100))
def test_scaling_every_emission_keeps_the_fraction(day: Comparison, k: float) -> None:
    scaled = [
        replace(
            p,
            emissions_kg=k * p.emissions_kg,
            job_emissions_kg=k * p.job_emissions_kg,
        )
        for p in day.policies
    ]
    first = saving(day, "optimal", baseline="greedy")
    second = saving(make_comparison(*scaled), "optimal", baseline="greedy")
    if first.baseline_kg > 1e-3:
        assert second.fraction == pytest.approx(first.fraction, rel=1e-6, abs=1e-9)

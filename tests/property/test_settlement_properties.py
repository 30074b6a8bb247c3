"""Pricing of what really ran, against an oracle, and errors that add up."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.settlement.stages import Attempted, Segments, price_stages
from solvers.evaluate import evaluate
from solvers.metered import Runs, price_runs
from solvers.problem import Places
from tests.factories_solvers import AJob, a_problem, a_schedule
from tests.oracle_settlement import Run, emissions

SLOTS, STEP_MIN = 8, 15
MINUTE_US = 60_000_000
STEP_US = STEP_MIN * MINUTE_US
LAST = SLOTS * STEP_MIN

grams = st.lists(st.integers(0, 900), min_size=SLOTS, max_size=SLOTS)
sun = st.lists(st.integers(0, 4000), min_size=SLOTS, max_size=SLOTS)


@st.composite
def a_run(draw: st.DrawFn) -> Run:
    begin = draw(st.integers(0, LAST - 1))
    end = draw(st.integers(begin + 1, LAST))
    return draw(st.integers(0, 1)), begin, end, draw(st.integers(0, 5000))


def places_of(g_per_kwh: list[list[int]], solar_wh: list[list[int]]) -> Places:
    g = np.array(g_per_kwh, dtype=np.float64)
    return Places(
        slot_hours=0.25,
        weight_per_kwh=g / 1000,
        g_per_kwh=g,
        pue=np.array([1.0, 1.5]),
        solar_kwh=np.array(solar_wh) / 1000,
        solar_budget_kwh=np.full((2, 1), np.inf),
        day=np.zeros(SLOTS, dtype=np.int64),
        capacity=np.zeros((0, 2, SLOTS)),
        resources=(),
    )


def runs_of(runs: list[Run]) -> Runs:
    region, begin, end, energy = zip(*runs, strict=True)
    return Runs(
        region=np.array(region, dtype=np.intp),
        start_us=np.array(begin, dtype=np.int64) * MINUTE_US,
        end_us=np.array(end, dtype=np.int64) * MINUTE_US,
        energy_kwh=np.array(energy) / 1000,
    )


@settings(max_examples=60, deadline=None)
@given(
    st.lists(a_run(), min_size=1, max_size=6),
    st.tuples(grams, grams),
    st.tuples(sun, sun),
)
def test_runs_at_any_minute_emit_what_the_oracle_says(
    runs: list[Run], g: tuple[list[int], ...], sunny: tuple[list[int], ...]
) -> None:
    priced = price_runs(places_of([*g], [*sunny]), runs_of(runs), step_us=STEP_US)
    expected = emissions(runs, g_per_kwh=g, solar_wh=sunny, slot_minutes=STEP_MIN)
    assert priced.emissions_kg.tolist() == pytest.approx(
        [float(kg) for kg in expected], abs=1e-9
    )
    energy = priced.solar_kwh + priced.grid_kwh
    assert energy.tolist() == pytest.approx([run[3] / 1000 for run in runs])


def test_runs_on_slot_borders_are_priced_as_a_schedule_is() -> None:
    jobs = [AJob(slots=2, power_kw=3.0, fraction=0.5), AJob(slots=1, power_kw=1.0)]
    problem = a_problem(
        jobs,
        g_per_kwh=((400.0, 300.0, 200.0, 100.0),),
        weight=((0.4, 0.3, 0.2, 0.1),),
        solar_kwh=((1.0, 2.5, 0.0, 0.0),),
    )
    priced = evaluate(problem, a_schedule((0, 0), (0, 1)))
    hour_us = 3_600_000_000
    runs = Runs(
        region=np.zeros(2, dtype=np.intp),
        start_us=np.array([0, hour_us]),
        end_us=np.array([hour_us * 3 // 2, 2 * hour_us]),
        energy_kwh=np.array([4.5, 1.0]),
    )
    shares = price_runs(problem.places, runs, step_us=hour_us)
    assert shares.emissions_kg.tolist() == pytest.approx(
        priced.job_emissions_kg.tolist()
    )
    assert shares.solar_kwh.tolist() == pytest.approx(priced.job_solar_kwh.tolist())


@st.composite
def a_settled_segment(draw: st.DrawFn) -> dict[str, Any]:
    """Planned, best and first real run, and what a second attempt used."""
    third = LAST // 3
    length = draw(st.integers(1, third))
    begun = draw(st.integers(0, third))
    attempt = (draw(st.integers(0, 1)), begun, begun + draw(st.integers(1, third)))
    again = (attempt[0], attempt[2], attempt[2] + draw(st.integers(1, third)))
    return {
        "length": length,
        "energy": draw(st.integers(0, 5000)),
        "planned": (draw(st.integers(0, 1)), draw(st.integers(0, third))),
        "best": (draw(st.integers(0, 1)), draw(st.integers(0, third))),
        "base": draw(st.integers(-1, 1)),
        "tries": [
            (*one, draw(st.integers(0, 5000)))
            for one in [attempt, again][: draw(st.integers(1, 2))]
        ],
    }


def planned_at(one: dict[str, Any], region: int, begin: int) -> Run:
    """The planned run elsewhere: its energy grows and shrinks with the PUE."""
    scale = Fraction(*((3, 2) if region else (1, 1)))
    scale /= Fraction(*((3, 2) if one["planned"][0] else (1, 1)))
    return region, begin, begin + one["length"], one["energy"] * scale


@settings(max_examples=60, deadline=None)
@given(
    st.lists(a_settled_segment(), min_size=1, max_size=4),
    st.tuples(grams, grams),
    st.tuples(sun, sun),
)
def test_every_stage_is_that_of_the_oracle_so_that_the_errors_add_up(
    found: list[dict[str, Any]],
    g: tuple[list[int], ...],
    sunny: tuple[list[int], ...],
) -> None:
    tries = [run for one in found for run in one["tries"]]
    counts = [len(one["tries"]) for one in found]
    starts = np.array([one["planned"][1] for one in found]) * MINUTE_US
    lengths = np.array([one["length"] for one in found]) * MINUTE_US
    stages = price_stages(
        places_of([*g], [*sunny]),
        Segments(
            region=np.array([one["planned"][0] for one in found], dtype=np.intp),
            start_us=starts,
            end_us=starts + lengths,
            energy_kwh=np.array([one["energy"] for one in found]) / 1000,
            baseline_region=np.array([one["base"] for one in found], dtype=np.intp),
            baseline_start_us=np.zeros(len(found), dtype=np.int64),
            place_kg=np.zeros((len(found), 2)),
        ),
        Attempted(
            segment=np.repeat(np.arange(len(found)), counts), runs=runs_of(tries)
        ),
        step_us=STEP_US,
        hindsight=(
            np.array([one["best"][0] for one in found], dtype=np.intp),
            np.array([one["best"][1] for one in found]) * MINUTE_US,
        ),
    )

    def oracle(runs: list[Run], sums: list[int] | None = None) -> Any:
        each = emissions(runs, g_per_kwh=g, solar_wh=sunny, slot_minutes=STEP_MIN)
        edges = np.cumsum([0, *(sums or [1] * len(runs))])
        return pytest.approx(
            [float(sum(each[a:b])) for a, b in pairwise(edges.tolist())], abs=1e-9
        )

    first = [one["tries"][0][:2] for one in found]
    assert stages.planned_kg == oracle([planned_at(o, *o["planned"]) for o in found])
    assert stages.hindsight_kg == oracle([planned_at(o, *o["best"]) for o in found])
    begun = [planned_at(one, *place) for one, place in zip(found, first, strict=True)]
    assert stages.dispatched_kg == oracle(begun)
    assert stages.realised_kg == oracle(tries, counts)
    assert np.isnan(stages.baseline_kg).tolist() == [o["base"] < 0 for o in found]

"""Pricing and limits agree with the oracle's plain loops, whatever the problem."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.problem import Problem
from solvers.solution import Schedule
from tests.factories_solvers import a_schedule
from tests.instances import problems, random_problem
from tests.oracles import Place, keeps_limits, places_of, price


@st.composite
def scheduled(draw: st.DrawFn) -> tuple[Problem, Schedule]:
    """A problem and any schedule of it, feasible or not."""
    problem = draw(problems())
    places: list[Place] = []
    for slots in problem.jobs.n_slots.tolist():
        region = draw(st.integers(-1, problem.places.n_regions - 1))
        start = draw(st.integers(0, problem.places.n_slots - slots))
        places.append(None if region < 0 else (region, start))
    return problem, a_schedule(*places)


@settings(max_examples=60, deadline=None)
@given(scheduled())
def test_evaluate_and_violations_agree_with_the_oracle(
    case: tuple[Problem, Schedule],
) -> None:
    problem, schedule = case
    places = places_of(schedule)
    assert evaluate(problem, schedule).objective == pytest.approx(
        price(problem, places), rel=1e-9, abs=1e-9
    )
    assert (not violations(problem, schedule)) == keeps_limits(problem, places)


@pytest.mark.parametrize("seed", range(0, 400, 8))
def test_shares_of_jobs_add_up_to_the_totals(seed: int) -> None:
    problem = random_problem(seed)
    rng = np.random.default_rng(seed)
    last = problem.places.n_slots - problem.jobs.n_slots
    schedule = Schedule(
        region=rng.integers(-1, problem.places.n_regions, problem.n_jobs, np.int16),
        start=rng.integers(0, last + 1).astype(np.int32),
    )
    priced = evaluate(problem, schedule)
    for shares, total in (
        (priced.job_energy_kwh, priced.load_kwh.sum()),
        (priced.job_solar_kwh, priced.used_solar_kwh.sum()),
        (priced.job_grid_kwh, priced.grid_kwh.sum()),
        (priced.job_emissions_kg, priced.emissions_kg),
    ):
        assert shares.sum() == pytest.approx(total, rel=1e-9, abs=1e-9)
    assert (priced.job_solar_kwh >= -1e-9).all()
    assert (priced.job_grid_kwh >= -1e-9).all()

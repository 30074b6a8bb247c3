"""The model says what ``evaluate`` says, for every schedule and not only the best."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers.evaluate import evaluate
from solvers.exact.answer import to_schedule, to_values, trivial_bound
from solvers.exact.columns import count_entries, enumerate_columns
from solvers.exact.groups import group_jobs, ungroup
from solvers.exact.integers import round_outwards
from solvers.exact.model import build_model
from solvers.exact.program import Program
from solvers.exact.relaxation import bound_at, lonely_bound
from solvers.greedy import Greedy
from solvers.problem import FloatArray, Problem
from solvers.solution import Schedule, SolveOptions
from tests.factories_solvers import AJob, a_problem
from tests.instances import SMALL, problems, random_problem
from tests.oracles import brute_force, places_of

CASES = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def some_schedule(problem: Problem, seed: int) -> Schedule:
    """Valid schedule: greedy, with a few jobs left out at random."""
    schedule = Greedy().solve(problem, SolveOptions()).schedule
    assert schedule is not None
    out = np.random.default_rng(seed).random(problem.n_jobs) < 0.2
    return Schedule(
        region=np.where(out, -1, schedule.region).astype(np.int16),
        start=np.where(out, -1, schedule.start).astype(np.int32),
    )


def keeps(program: Program, values: FloatArray, tolerance: float = 1e-9) -> bool:
    activity = program.activity(values)
    return bool(
        (activity <= program.row_upper + tolerance).all()
        and (activity >= program.row_lower - tolerance).all()
        and (values >= program.lower - tolerance).all()
        and (values <= program.upper + tolerance).all()
    )


@CASES
@given(problem=problems(SMALL), seed=SEEDS)
def test_valid_schedule_is_feasible_in_the_model_at_its_own_price(
    problem: Problem, seed: int
) -> None:
    schedule = some_schedule(problem, seed)
    model = build_model(problem)
    values = to_values(model, problem, schedule)
    assert keeps(model.program, values)
    objective = evaluate(problem, schedule).objective
    cost = float(values @ model.program.cost) * model.unit
    assert cost == pytest.approx(objective, rel=1e-9, abs=1e-9)


@CASES
@given(problem=problems(SMALL), seed=SEEDS)
def test_schedule_comes_back_with_equal_jobs_in_order(
    problem: Problem, seed: int
) -> None:
    schedule = some_schedule(problem, seed)
    model = build_model(problem)
    back = to_schedule(model, to_values(model, problem, schedule))
    before, after = evaluate(problem, schedule), evaluate(problem, back)
    assert after.objective == pytest.approx(before.objective, rel=1e-9, abs=1e-9)
    again = to_schedule(model, to_values(model, problem, back))
    assert places_of(again) == places_of(back)


@CASES
@given(problem=problems(SMALL), seed=SEEDS)
def test_rounding_outwards_keeps_every_schedule(problem: Problem, seed: int) -> None:
    model = build_model(problem)
    values = to_values(model, problem, some_schedule(problem, seed))
    rounded = round_outwards(model.program)
    whole = np.ceil(values / rounded.variable_unit - 1e-6)
    assert keeps(rounded.program, whole, tolerance=0.0)
    for array in (rounded.program.values, rounded.program.cost):
        assert (array == np.round(array)).all()


@pytest.mark.parametrize("seed", range(0, 400, 4))
def test_bounds_without_an_engine_never_pass_the_optimum(seed: int) -> None:
    problem = random_problem(seed)
    optimum = brute_force(problem)
    limit = optimum.objective + 1e-12 * max(1.0, abs(optimum.objective))
    assert trivial_bound(build_model(problem)) <= limit
    assert lonely_bound(problem, Schedule.empty(problem.n_jobs)) <= limit
    assert lonely_bound(problem, some_schedule(problem, seed)) <= limit


def test_lonely_bound_is_the_optimum_where_nothing_is_shared() -> None:
    jobs = [AJob(slots=2, fraction=0.5), AJob(delay_cost=0.5)]
    problem = a_problem(jobs, weight=((3.0, 1.0, 2.0, 4.0),))
    optimum = brute_force(problem).objective
    assert bound_at(problem, problem.places.weight_per_kwh) == pytest.approx(
        optimum, rel=1e-8
    )


def test_equal_jobs_are_one_group_and_other_jobs_are_not() -> None:
    jobs = [AJob(), AJob(power_kw=2.0), AJob(place_kg=1.0, home=0), AJob()]
    groups = group_jobs(a_problem(jobs).jobs)
    assert groups.of_job[[0, 2, 3]].tolist() == [groups.of_job[0]] * 3
    assert sorted(groups.size.tolist()) == [1, 3]


def test_cost_of_a_region_that_is_not_allowed_splits_no_group() -> None:
    jobs = [AJob(regions=[0], place_cost=[1.0, cost]) for cost in (5.0, 7.0)]
    groups = group_jobs(a_problem(jobs, weight=((1.0,), (1.0,))).jobs)
    assert len(groups) == 1


def test_earliest_place_goes_to_the_lowest_job() -> None:
    groups = group_jobs(a_problem([AJob()] * 3).jobs)
    schedule = ungroup(
        groups,
        group=np.array([0, 0]),
        region=np.array([0, 0]),
        start=np.array([3, 1]),
        count=np.array([1, 1]),
    )
    assert places_of(schedule) == [(0, 1), (0, 3), None]


def test_rows_that_can_never_bind_are_left_out() -> None:
    jobs = [AJob(demand={"cpu": 1}, last=0), AJob(demand={"cpu": 1}, first=2)]
    roomy = build_model(a_problem(jobs, capacity={"cpu": 1}))
    assert roomy.program.n_rows == len(roomy.groups)
    tight = build_model(a_problem([*jobs, *jobs], capacity={"cpu": 1}))
    assert tight.program.n_rows > len(tight.groups)


def test_place_that_no_job_fits_is_not_a_column() -> None:
    job = AJob(demand={"cpu": 2}, slots=2)
    problem = a_problem([job], capacity={"cpu": [[2, 2, 1, 2]]})
    columns = enumerate_columns(problem, group_jobs(problem.jobs))
    assert columns.start.tolist() == [0]


def test_size_is_known_before_the_model_is_built() -> None:
    problem = a_problem([AJob(slots=2), AJob(regions=[0])], weight=((1.0,) * 4,) * 2)
    assert count_entries(problem.jobs) == 2 * 3 * 2 + 4
    columns = enumerate_columns(problem, group_jobs(problem.jobs))
    assert len(columns.entry_cell) == count_entries(problem.jobs)


def test_solar_that_always_covers_the_load_needs_no_variable() -> None:
    problem = a_problem([AJob()], weight=((1.0, 2.0),), solar_kwh=((1.0, 0.5),))
    model = build_model(problem)
    assert model.solar.used_cell.tolist() == [1]
    assert model.solar.weight_per_kwh[0, 0] == 0.0


def test_rounding_outwards_keeps_a_row_that_is_met_exactly() -> None:
    third = np.full(3, 1.0 / 3.0)
    program = Program(
        cost=np.array([0.1, 0.2, 0.7]),
        lower=np.zeros(3),
        upper=np.ones(3),
        integer=np.ones(3, dtype=bool),
        row_lower=np.array([-np.inf, 1.0]),
        row_upper=np.array([1.0, np.inf]),
        indptr=np.array([0, 3, 6]),
        indices=np.array([0, 1, 2, 0, 1, 2]),
        values=np.concatenate([third, third]),
    )
    rounded = round_outwards(program)
    everything = np.ones(3)
    assert keeps(rounded.program, everything, tolerance=0.0)


def test_solar_that_nobody_needs_is_not_sold_in_the_bound() -> None:
    problem = a_problem([AJob()], weight=((5.0, 1.0),), solar_kwh=((9.0, 0.0),))
    in_the_sun = Schedule(
        region=np.zeros(1, dtype=np.int16), start=np.zeros(1, dtype=np.int32)
    )
    assert lonely_bound(problem, in_the_sun) == pytest.approx(0.0)


def test_a_dear_place_that_the_sun_makes_cheaper_than_nothing_is_not_bounded_by_zero():
    job = AJob(slots=4, fraction=0.25, last=0, power_kw=0.5)
    problem = a_problem(
        [job],
        weight=((0.25, 0.25, -0.5, 0.25, 0.25),),
        solar_kwh=((0.0, 0.0625, 0.0, 0.0, 0.0),),
        slot_hours=0.25,
    )
    optimum = brute_force(problem).objective
    assert optimum == pytest.approx(-0.0078125)
    assert trivial_bound(build_model(problem)) <= optimum

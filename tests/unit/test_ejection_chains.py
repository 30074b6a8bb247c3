"""Chains of ejections place what others leave out, and else change nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.synthetic import synthetic_day
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.job_columns import job_columns
from solvers.packing.driving import drive_all_in
from solvers.price.bands import without_prices
from solvers.price.chains import make_room
from solvers.price.columns import limits
from solvers.price.crew import Crew
from solvers.price.ejection import MOST_RIVALS, drive_in, rivals_of, room_to_work
from solvers.price.marginal import Terms
from solvers.price.plan import Plan
from solvers.price.rounds import Course, polish
from solvers.problem import Problem
from solvers.solution import Schedule, SolveOptions
from tests.factories_solvers import AJob, a_problem, a_schedule
from tests.instances import random_problem

CALM = ((1.0,) * 4,)


def plan_of(problem: Problem, schedule: Schedule) -> Plan:
    plan = Plan(job_columns(problem.jobs), limits(problem.places), Crew(None))
    plan.adopt(schedule)
    return plan


def true_costs(plan: Plan) -> Terms:
    nothing = np.zeros(plan.limits.capacity.shape)
    return without_prices(plan.limits, seed=0).terms(0.0, nothing)


def roomier(plan: Plan, *, steps: int = 40, stopped: bool = False) -> int:
    """Number of chains that were kept."""
    return make_room(plan, true_costs(plan), stop=lambda: stopped, steps=steps)


def greedy_plan(problem: Problem) -> Schedule:
    found = Greedy().solve(problem, SolveOptions()).schedule
    assert found is not None
    assert found.n_unplaced > 0
    return found


def dominoes() -> tuple[Problem, Schedule]:
    """The first job needs the second's place, which then needs the third's."""
    jobs = [
        AJob(demand={"cpu": 1}, first=0, last=0),
        AJob(demand={"cpu": 1}, first=0, last=1),
        AJob(demand={"cpu": 1}, first=1, last=2),
    ]
    problem = a_problem(jobs, weight=CALM, capacity={"cpu": 1})
    return problem, a_schedule(None, (0, 0), (0, 1))


def test_jobs_make_room_for_each_other_one_after_another() -> None:
    plan = plan_of(*dominoes())
    assert roomier(plan) == 1
    assert plan.board.start.tolist() == [0, 1, 2]
    assert plan.board.usage[0, 0].tolist() == [1.0, 1.0, 1.0, 0.0]


def test_chain_that_is_cut_short_is_undone() -> None:
    problem, schedule = dominoes()
    plan = plan_of(problem, schedule)
    assert roomier(plan, steps=1) == 0
    assert plan.board.region.tolist() == schedule.region.tolist()
    assert plan.board.start.tolist() == schedule.start.tolist()
    assert plan.board.usage[0, 0].tolist() == [1.0, 1.0, 0.0, 0.0]
    assert plan.board.load[0].tolist() == [1.0, 1.0, 0.0, 0.0]


def test_nothing_is_tried_once_it_is_told_to_stop() -> None:
    plan = plan_of(*dominoes())
    assert roomier(plan, stopped=True) == 0
    assert plan.board.region[0] < 0


@pytest.mark.parametrize(
    ("inside", "outside", "kept"), [(10.0, 30.0, 1), (30.0, 30.0, 0)]
)
def test_only_a_weightier_job_takes_the_place_of_another(
    inside: float, outside: float, kept: int
) -> None:
    jobs = [
        AJob(slots=4, demand={"cpu": 1}, unplaced_cost=cost)
        for cost in (inside, outside)
    ]
    problem = a_problem(jobs, weight=CALM, capacity={"cpu": 1})
    plan = plan_of(problem, a_schedule((0, 0), None))
    assert roomier(plan) == kept
    assert (plan.board.region < 0).tolist() == (
        [True, False] if kept else [False, True]
    )


def test_as_many_leave_as_the_job_needs_units_and_slots() -> None:
    """Two of its four slots are full; in each of those, two jobs hold a unit."""
    small = AJob(demand={"cpu": 1}, last=3)
    large = AJob(slots=2, demand={"cpu": 2}, first=0, last=0)
    problem = a_problem([small] * 4 + [large], weight=CALM, capacity={"cpu": 2})
    plan = plan_of(problem, a_schedule((0, 0), (0, 0), (0, 1), (0, 1), None))
    assert roomier(plan) == 1
    assert sorted(plan.board.start.tolist()) == [0, 2, 2, 3, 3]


def test_job_that_no_region_holds_stays_out() -> None:
    huge, small = AJob(demand={"cpu": 3}), AJob(demand={"cpu": 1})
    problem = a_problem([huge, small], weight=CALM, capacity={"cpu": 2})
    plan = plan_of(problem, a_schedule(None, (0, 0)))
    assert roomier(plan) == 0
    assert plan.board.start.tolist() == [-1, 0]


def test_those_leave_who_free_most() -> None:
    """One of two units for both slots, not the two of a unit and a slot before it."""
    small = [AJob(demand={"cpu": 1}, first=t, last=t) for t in (0, 1)]
    large = AJob(slots=2, demand={"cpu": 2}, last=0)
    problem = a_problem([*small, large, large], weight=CALM, capacity={"cpu": 3})
    plan = plan_of(problem, a_schedule((0, 0), (0, 1), (0, 0), None))
    rivals = room_to_work(plan.board)
    found = drive_in(plan.jobs, 3, plan.board, true_costs(plan), rivals, np.ones(4))
    assert found == (0, 0, 1)
    assert rivals.driven[0] == 2


def test_of_very_many_in_the_way_some_are_enough() -> None:
    n = 2 * MOST_RIVALS + 3
    crowd = [AJob(demand={"cpu": 1})] * n
    late = AJob(demand={"cpu": 5}, first=0, last=0)
    problem = a_problem([*crowd, late], weight=CALM, capacity={"cpu": n})
    plan = plan_of(problem, a_schedule(*[(0, 0)] * n, None))
    rivals = room_to_work(plan.board)
    n_rivals = rivals_of(plan.jobs, n, 0, plan.board, rivals)
    assert rivals.job[:n_rivals].tolist() == list(range(0, n, 4))
    assert roomier(plan) == 1
    assert (plan.board.start[:n] > 0).sum() == 5


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_no_limit_is_broken_and_no_weight_lost(seed: int) -> None:
    problem = random_problem(seed)
    rng = np.random.default_rng(seed)
    found = Greedy().solve(problem, SolveOptions()).schedule
    assert found is not None
    out = rng.random(problem.n_jobs) < 0.3
    start = Schedule(
        region=np.where(out, -1, found.region).astype(np.int16),
        start=np.where(out, -1, found.start).astype(np.int32),
    )
    plan = plan_of(problem, start)
    kept = roomier(plan)
    cost = problem.jobs.unplaced_cost
    before = cost[start.region < 0].sum()
    after = cost[plan.board.region < 0].sum()
    assert violations(problem, plan.schedule()) == []
    assert after < before if kept else after == before


def tight_fine_day(seed: int) -> Problem:
    """Slots of 5 minutes; greedy leaves some jobs out, and all can be placed."""
    return synthetic_day(400, seed=seed, n_slots=288, slot_minutes=5, fill=0.8)


@pytest.mark.parametrize("seed", [0, 3])
def test_tight_day_on_a_fine_grid_is_filled(seed: int) -> None:
    problem = tight_fine_day(seed)
    driven = drive_all_in(problem, greedy_plan(problem), lambda: False)
    assert driven.n_unplaced == 0
    assert violations(problem, driven) == []


def test_polish_of_the_price_engine_drives_jobs_in() -> None:
    problem = synthetic_day(400, seed=1, n_slots=288, fill=0.8)
    plan = plan_of(problem, greedy_plan(problem))
    course = Course(learn=0, close=0, polish=1)
    bands = without_prices(plan.limits, seed=0)
    polish(plan, bands, course, mean=1.0, seed=0, stop=lambda: False)
    assert plan.schedule().n_unplaced == 0
    assert violations(problem, plan.schedule()) == []

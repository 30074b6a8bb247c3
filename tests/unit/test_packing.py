"""Packing finds a place for jobs that greedy leaves out, and breaks no limit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.synthetic import synthetic_day
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.neighbourhood.subproblem import taken_out
from solvers.packing import Packing
from solvers.packing.driving import drive_all_in
from solvers.packing.intervals import fit
from solvers.packing.rounds import AT_ONCE, around_one_left_out, pack
from solvers.problem import Problem
from solvers.solution import UNPLACED, Schedule, SolveOptions
from tests.factories_solvers import AJob, a_problem, a_schedule
from tests.instances import random_problem
from tests.oracles import brute_force

HERE = SolveOptions(time_limit_s=120.0, extra={"isolate": False})


def jigsaw() -> Problem:
    """A long job that fits only if the short one leaves the middle of the day."""
    short = AJob(slots=1, last=3, demand={"cpu": 1})
    long = AJob(slots=3, last=1, demand={"cpu": 1}, power_kw=0.1)
    weight = ((3.0, 1.0, 3.0, 3.0),)
    return a_problem([short, long], weight=weight, capacity={"cpu": 1})


def test_a_job_in_the_way_is_moved() -> None:
    problem = jigsaw()
    middle = a_schedule((0, 1), (UNPLACED, UNPLACED))
    solution = Packing().solve(problem, HERE, hint=middle)
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced == 0
    assert violations(problem, solution.schedule) == []


@pytest.mark.parametrize("seed", [0, 1])
def test_tight_synthetic_day_is_filled_where_greedy_leaves_jobs_out(seed: int) -> None:
    problem = synthetic_day(100, seed=seed)
    greedy = Greedy().solve(problem, HERE).schedule
    assert greedy is not None
    assert greedy.n_unplaced > 0
    solution = Packing().solve(problem, HERE, hint=greedy)
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced == 0
    assert violations(problem, solution.schedule) == []


@given(st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
def test_no_small_day_is_filled_less_than_it_can_be(seed: int) -> None:
    """Where leaving out costs more than any place, the fewest are left out."""
    problem = random_problem(seed)
    dear = np.full(problem.n_jobs, 1e6)
    problem = replace(problem, jobs=replace(problem.jobs, unplaced_cost=dear))
    solution = Packing().solve(problem, HERE)
    best = brute_force(problem)
    assert solution.schedule is not None
    assert violations(problem, solution.schedule) == []
    assert solution.schedule.n_unplaced == round(best.objective / 1e6)


def test_fractions_and_changing_capacity_are_kept() -> None:
    jobs = [AJob(slots=2, last=2, demand={"cpu": 0.3}) for _ in range(4)]
    problem = a_problem(jobs, weight=((1.0,) * 4,), capacity={"cpu": 0.6})
    capacity = problem.places.capacity.copy()
    capacity[:, :, 3] = 0.3
    problem = replace(problem, places=replace(problem.places, capacity=capacity))
    nothing = Schedule.empty(4)
    found = fit(problem, nothing, seed=0, time_limit_s=60.0, workers=1)
    assert found is not None
    assert found.n_unplaced == 1
    assert violations(problem, found) == []


@pytest.mark.parametrize(("units", "fits"), [(1, False), (2, True)])
def test_all_or_none_are_placed_where_all_are_asked_for(units: int, fits: bool) -> None:
    all_day = AJob(slots=4, demand={"cpu": 1})
    problem = a_problem([all_day] * 2, weight=((0.1,) * 4,), capacity={"cpu": units})
    nothing = Schedule.empty(2)
    found = fit(problem, nothing, seed=0, time_limit_s=60.0, workers=1, all_in=True)
    assert (found is not None) == fits
    assert found is None or found.n_unplaced == 0


def test_a_region_without_a_limit_leaves_the_limits_of_others_as_they_are() -> None:
    jobs = [AJob(slots=4, regions=[0], demand={"power_kw": 1.0}) for _ in range(3)]
    problem = a_problem(
        [*jobs, AJob(slots=4, regions=[1], demand={"power_kw": 0.3})],
        weight=((0.1,) * 4,) * 2,
        capacity={"power_kw": ((1.0,) * 4, (np.inf,) * 4)},
    )
    nothing = Schedule.empty(problem.n_jobs)
    found = fit(problem, nothing, seed=0, time_limit_s=60.0, workers=1)
    assert found is not None
    assert violations(problem, found) == []
    assert found.n_unplaced == 2


def test_a_resource_that_is_used_up_keeps_no_other_job_from_its_place() -> None:
    jobs = [
        AJob(demand={"gpu": 0.5}),
        AJob(slots=4, demand={"cpu": 1.0}),
        AJob(slots=4, demand={"cpu": 1.0}),
    ]
    problem = a_problem(jobs, capacity={"gpu": 0.0, "cpu": 1.0})
    nothing = Schedule.empty(problem.n_jobs)
    found = fit(problem, nothing, seed=0, time_limit_s=5.0, workers=1)
    assert found is not None
    assert violations(problem, found) == []
    assert found.n_unplaced == 2


def test_the_more_important_job_gets_the_place() -> None:
    light = AJob(slots=4, demand={"cpu": 1}, unplaced_cost=10.0)
    heavy = AJob(slots=4, demand={"cpu": 1}, unplaced_cost=30.0)
    problem = a_problem(
        [light, light, heavy], weight=((0.1,) * 4,), capacity={"cpu": 1}
    )
    start = Schedule(
        region=np.array([0, -1, -1], np.int16), start=np.array([0, -1, -1], np.int32)
    )
    solution = Packing().solve(problem, HERE, hint=start)
    assert solution.schedule is not None
    assert solution.schedule.region.tolist() == [-1, -1, 0]


def test_of_many_jobs_only_those_around_one_left_out_are_asked_for() -> None:
    problem = synthetic_day(600, seed=0, fill=0.7)
    greedy = Greedy().solve(problem, HERE).schedule
    assert greedy is not None
    assert greedy.n_unplaced > 0
    jobs = around_one_left_out(problem, greedy, np.random.default_rng(0))
    assert len(jobs) == AT_ONCE
    assert (greedy.region[jobs] < 0).any()


def test_of_many_jobs_the_one_that_is_out_is_put_in() -> None:
    problem = synthetic_day(AT_ONCE + 100, seed=3)
    full = drive_all_in(problem, Schedule.empty(problem.n_jobs), lambda: False)
    assert full.n_unplaced == 0
    packed = pack(problem, taken_out(full, np.array([7])), 0, 120.0, 2)
    assert packed.n_unplaced == 0
    assert violations(problem, packed) == []


def test_same_seed_on_one_core_gives_the_same_plan() -> None:
    problem = synthetic_day(100, seed=1)
    once, again = (Packing().solve(problem, HERE).schedule for _ in range(2))
    assert once is not None
    assert again is not None
    assert once.region.tolist() == again.region.tolist()
    assert once.start.tolist() == again.start.tolist()


def test_chains_alone_fill_most_tight_days() -> None:
    problem = synthetic_day(400, seed=0, n_slots=288, slot_minutes=5, fill=0.8)
    solution = Packing().solve(problem, HERE)
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced == 0
    assert solution.stats.engine is not None
    assert solution.stats.engine.startswith("ejection chains (")


def test_what_chains_find_no_room_for_is_asked_of_cp_sat() -> None:
    all_day = AJob(slots=4, demand={"cpu": 1})
    problem = a_problem([all_day] * 2, weight=((0.1,) * 4,), capacity={"cpu": 1})
    solution = Packing().solve(problem, HERE)
    assert solution.stats.engine == "ejection chains, CP-SAT over intervals"
    assert solution.stats.notes == (
        "chains: 1 left out before, 1 after",
        "CP-SAT: 1 left out before, 1 after",
    )

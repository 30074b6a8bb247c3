"""What asap, threshold and greedy do, on days made for each rule."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.asap import Asap
from solvers.greedy import Greedy, turns
from solvers.in_turn import arrivals
from solvers.solution import SolveOptions, Status
from solvers.threshold import Threshold
from tests.factories_solvers import AJob, a_problem
from tests.instances import HAND_MADE
from tests.oracles import places_of

NOW = SolveOptions()


def test_asap_stays_at_home_though_another_region_is_cleaner() -> None:
    problem = a_problem([AJob(home=1)], weight=((0.1, 0.1), (0.9, 0.8)))
    solution = Asap().solve(problem, NOW)
    assert places_of(solution.schedule) == [(1, 0)]


def test_asap_queues_by_release_then_by_index() -> None:
    unit = {"cpu": 1.0}
    jobs = [
        AJob(first=1, demand=unit),
        AJob(slots=2, demand=unit),
        AJob(first=1, demand=unit),
    ]
    problem = a_problem(jobs, weight=((1.0,) * 5,), capacity={"cpu": 1})
    solution = Asap().solve(problem, NOW)
    assert places_of(solution.schedule) == [(0, 2), (0, 0), (0, 3)]


@pytest.mark.parametrize("policy", [Asap(), Threshold(), Greedy()])
def test_job_with_one_possible_place_is_planned_around(
    policy: Asap | Threshold | Greedy,
) -> None:
    # A is free from 00:00 on and larger, P is pinned at 01:00.
    movable = AJob(slots=2, demand={"cpu": 1}, power_kw=100.0)
    pinned = AJob(first=1, last=1, demand={"cpu": 1})
    problem = a_problem([movable, pinned], capacity={"cpu": 1})
    assert places_of(policy.solve(problem, NOW).schedule) == [(0, 2), (0, 1)]


def test_jobs_with_one_start_queue_among_themselves_by_it_then_by_index() -> None:
    windows = ((0, 3), (2, 2), (1, 3), (0, 0), (2, 2), (0, 3))
    jobs = [AJob(first=first, last=last) for first, last in windows]
    assert arrivals(a_problem(jobs)).tolist() == [3, 1, 4, 0, 5, 2]


def test_asap_starts_later_where_capacity_dips_in_the_middle_of_a_run() -> None:
    problem = a_problem(
        [AJob(slots=2, demand={"cpu": 2})],
        weight=((1.0,) * 5,),
        capacity={"cpu": [[2, 1, 2, 2, 2]]},
    )
    assert places_of(Asap().solve(problem, NOW).schedule) == [(0, 2)]


def test_asap_leaves_out_what_home_cannot_hold() -> None:
    jobs = [AJob(demand={"cpu": 2}, unplaced_cost=9.0), AJob(demand={"cpu": 1})]
    problem = a_problem(jobs, weight=((1.0,), (1.0,)), capacity={"cpu": [[1], [5]]})
    solution = Asap().solve(problem, NOW)
    assert solution.status is Status.PARTIAL
    assert solution.objective == pytest.approx(10.0)


def test_nothing_placed_is_partial_where_another_region_has_room() -> None:
    job = AJob(demand={"cpu": 2})
    problem = a_problem([job], weight=((1.0,), (1.0,)), capacity={"cpu": [[1], [5]]})
    assert Asap().solve(problem, NOW).status is Status.PARTIAL
    assert Asap().solve(HAND_MADE["no_room"](), NOW).status is Status.INFEASIBLE


def test_threshold_starts_at_the_first_slot_at_or_below() -> None:
    problem = a_problem([AJob(slots=2)], weight=((0.5, 0.4, 0.2, 0.1, 0.3),))
    rule = Threshold(g_per_kwh=400.0)
    assert places_of(rule.solve(problem, NOW).schedule) == [(0, 1)]


def test_threshold_looks_at_the_first_slot_of_a_run_alone() -> None:
    problem = a_problem([AJob(slots=2)], weight=((0.5, 0.2, 0.9, 0.1, 0.1),))
    rule = Threshold(g_per_kwh=200.0)
    assert places_of(rule.solve(problem, NOW).schedule) == [(0, 1)]


def test_threshold_by_default_is_the_thirtieth_percentile_of_the_horizon() -> None:
    # Percentiles of 0.1 … 1.1 in steps of 0.1: the 30th is 0.4, at slot 7.
    falling = tuple(np.arange(11, 0, -1) / 10)
    problem = a_problem([AJob()], weight=(falling,))
    assert places_of(Threshold().solve(problem, NOW).schedule) == [(0, 7)]


def test_threshold_waits_no_longer_than_the_latest_start_that_fits() -> None:
    problem = a_problem(
        [AJob(demand={"cpu": 1}, last=3)],
        weight=((0.9, 0.9, 0.9, 0.9, 0.1),),
        capacity={"cpu": [[1, 1, 1, 0, 1]]},
    )
    rule = Threshold(g_per_kwh=100.0)
    assert places_of(rule.solve(problem, NOW).schedule) == [(0, 2)]


def test_threshold_takes_the_sun_that_earlier_jobs_left() -> None:
    job = AJob(power_kw=2.0)
    problem = a_problem(
        [job, job, job], weight=((0.9,) * 4,), solar_kwh=((0.0, 3.0, 5.0, 0.0),)
    )
    rule = Threshold(g_per_kwh=100.0)
    # The sun of slot 1 covers one job, that of slot 2 two.
    assert places_of(rule.solve(problem, NOW).schedule) == [(0, 1), (0, 2), (0, 2)]


def test_threshold_counts_no_sun_beyond_the_budget() -> None:
    job = AJob(power_kw=2.0)
    problem = a_problem(
        [job, job],
        weight=((0.9,) * 3,),
        solar_kwh=((0.0, 4.0, 0.0),),
        solar_budget_kwh=3.0,
    )
    rule = Threshold(g_per_kwh=100.0)
    assert places_of(rule.solve(problem, NOW).schedule) == [(0, 1), (0, 2)]


def test_greedy_takes_the_cheapest_place_in_any_region() -> None:
    solution = Greedy().solve(HAND_MADE["one_job"](), NOW)
    assert places_of(solution.schedule) == [(1, 2)]
    assert solution.objective == pytest.approx(0.3)


def test_greedy_weighs_transfer_and_waiting() -> None:
    job = AJob(place_cost=(0.0, 0.5), delay_cost=0.2)
    problem = a_problem([job], weight=((0.9, 0.8), (0.1, 0.3)))
    # 0.9; 0.8 + 0.2; 0.1 + 0.5; 0.3 + 0.5 + 0.2
    assert places_of(Greedy().solve(problem, NOW).schedule) == [(1, 0)]


def test_greedy_places_the_job_with_few_choices_first() -> None:
    problem = HAND_MADE["greedy_trap"]()
    assert turns(problem).tolist() == [1, 0]
    assert Greedy().solve(problem, NOW).objective == pytest.approx(0.3)


def test_greedy_places_the_larger_of_two_like_jobs_first() -> None:
    jobs = [AJob(power_kw=1.0), AJob(power_kw=0.0), AJob(power_kw=4.0)]
    assert turns(a_problem(jobs)).tolist() == [2, 0, 1]


def test_few_choices_count_for_more_than_size() -> None:
    jobs = [AJob(last=2, power_kw=2.0), AJob(last=1, power_kw=1.0)]
    # 3³ / 2 = 13.5 and 2³ / 1 = 8
    assert turns(a_problem(jobs)).tolist() == [1, 0]


def test_greedy_leaves_out_a_job_that_costs_more_than_its_absence() -> None:
    problem = a_problem([AJob(unplaced_cost=0.5)])
    solution = Greedy().solve(problem, NOW)
    assert places_of(solution.schedule) == [None]
    assert solution.objective == 0.5


def test_greedy_prefers_sun_that_is_left_to_sun_that_is_taken() -> None:
    job = AJob(power_kw=2.0)
    problem = a_problem(
        [job, job], weight=((0.5, 0.5, 0.5),), solar_kwh=((0.0, 3.0, 2.0),)
    )
    solution = Greedy().solve(problem, NOW)
    assert places_of(solution.schedule) == [(0, 1), (0, 2)]
    assert solution.objective == 0.0


@pytest.mark.parametrize("policy", [Asap(), Threshold(), Greedy()])
def test_out_of_time_leaves_jobs_out_and_says_so(
    policy: Asap | Threshold | Greedy,
) -> None:
    problem = a_problem([AJob()] * 3)
    solution = policy.solve(problem, SolveOptions(time_limit_s=-1.0))
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced == 3
    assert solution.status is Status.PARTIAL
    assert solution.stats.messages == ("out of time after 0 of 3 jobs",)

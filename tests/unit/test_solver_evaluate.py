"""Pricing a schedule: every number here was worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from solvers.errors import ScheduleMismatchError
from solvers.evaluate import evaluate, solar_used
from solvers.solution import Schedule
from tests.factories_solvers import AJob, a_problem, a_schedule


def test_energy_is_power_times_time_times_pue() -> None:
    problem = a_problem([AJob(slots=2, power_kw=3.0)], slot_hours=0.25, pue=1.2)
    priced = evaluate(problem, a_schedule((0, 1)))
    assert priced.load_kwh[0].tolist() == pytest.approx([0, 0.9, 0.9, 0])
    assert priced.job_energy_kwh.tolist() == pytest.approx([1.8])
    assert priced.objective == pytest.approx(1.8)


def test_partial_last_slot_draws_in_proportion_but_holds_its_units_in_full() -> None:
    job = AJob(slots=3, fraction=0.25, power_kw=2.0, demand={"cpu": 5})
    problem = a_problem([job], weight=((0.1, 0.2, 0.4, 9.0),), capacity={"cpu": 8})
    priced = evaluate(problem, a_schedule((0, 0)))
    assert priced.load_kwh.tolist() == [[2.0, 2.0, 0.5, 0.0]]
    assert priced.usage.tolist() == [[[5.0, 5.0, 5.0, 0.0]]]
    assert priced.objective == pytest.approx(0.1 * 2 + 0.2 * 2 + 0.4 * 0.5)


def test_a_single_partial_slot_is_the_last_slot() -> None:
    problem = a_problem([AJob(fraction=0.5, power_kw=4.0)])
    assert evaluate(problem, a_schedule((0, 3))).load_kwh.tolist() == [[0, 0, 0, 2.0]]


def test_solar_and_grid_of_a_slot_are_shared_in_proportion_to_energy() -> None:
    jobs = [AJob(power_kw=1.0), AJob(power_kw=3.0)]
    problem = a_problem(
        jobs, weight=((0.5,),), g_per_kwh=((400.0,),), solar_kwh=((1.0,),)
    )
    priced = evaluate(problem, a_schedule((0, 0), (0, 0)))
    assert priced.used_solar_kwh.tolist() == [[1.0]]
    assert priced.job_solar_kwh.tolist() == pytest.approx([0.25, 0.75])
    assert priced.job_grid_kwh.tolist() == pytest.approx([0.75, 2.25])
    assert priced.job_emissions_kg.tolist() == pytest.approx([0.3, 0.9])
    assert priced.emissions_kg == pytest.approx(1.2)
    assert priced.objective == pytest.approx(1.5)


def test_surplus_sun_is_not_credited() -> None:
    problem = a_problem([AJob()], solar_kwh=((7.0, 7.0, 7.0, 7.0),))
    priced = evaluate(problem, a_schedule((0, 2)))
    assert priced.used_solar_kwh.sum() == 1.0
    assert priced.objective == 0.0


def test_budget_goes_to_the_dearest_slots_ties_to_the_earlier() -> None:
    problem = a_problem(
        [AJob(slots=4, power_kw=2.0)],
        weight=((0.3, 0.5, 0.3, 0.1),),
        solar_kwh=((2.0, 1.0, 2.0, 2.0),),
        solar_budget_kwh=((2.5,),),
    )
    priced = evaluate(problem, a_schedule((0, 0)))
    assert priced.used_solar_kwh.tolist() == [[1.5, 1.0, 0.0, 0.0]]
    assert priced.objective == pytest.approx(0.3 * 0.5 + 0.5 * 1 + 0.3 * 2 + 0.1 * 2)


def test_budget_goes_to_the_earliest_of_many_equal_slots() -> None:
    two_levels = ((0.3, 0.5, 0.1, 0.5) * 48,)
    problem = a_problem(
        [AJob(slots=192)], weight=two_levels, solar_kwh=1.0, solar_budget_kwh=5.0
    )
    used = evaluate(problem, a_schedule((0, 0))).used_solar_kwh[0]
    assert np.flatnonzero(used).tolist() == [1, 3, 5, 7, 9]


def test_every_day_and_region_has_its_own_budget() -> None:
    job = AJob(slots=4, power_kw=1.0)
    problem = a_problem(
        [job, job],
        weight=((1.0, 1.0, 1.0, 1.0),) * 2,
        solar_kwh=1.0,
        solar_budget_kwh=((1.0, 0.5), (np.inf, 0.0)),
        day=(0, 0, 1, 1),
    )
    priced = evaluate(problem, a_schedule((0, 0), (1, 0)))
    assert priced.used_solar_kwh.tolist() == [[1, 0, 0.5, 0], [1, 1, 0, 0]]


def test_budget_is_spent_on_what_the_load_can_use() -> None:
    problem = a_problem([AJob()], solar_kwh=4.0, solar_budget_kwh=2.0)
    used = solar_used(problem.places, np.array([[0.5, 0.5, 0.5, 9.0]]))
    assert used.tolist() == [[0.5, 0.5, 0.5, 0.5]]


def test_sun_is_drawn_even_where_grid_energy_pays() -> None:
    problem = a_problem([AJob()], weight=((-0.5, 0.1),), solar_kwh=((0.4, 0.0),))
    assert evaluate(problem, a_schedule((0, 0))).objective == pytest.approx(-0.3)


def test_transfer_counts_in_emissions_and_objective() -> None:
    job = AJob(place_cost=(0.0, 0.7), place_kg=(0.0, 0.6))
    problem = a_problem([job], weight=((0.4,), (0.1,)))
    priced = evaluate(problem, a_schedule((1, 0)))
    assert priced.objective == pytest.approx(0.1 + 0.7)
    assert priced.emissions_kg == pytest.approx(0.1 + 0.6)
    assert priced.job_emissions_kg.tolist() == pytest.approx([0.7])


def test_waiting_costs_each_slot_after_the_first_possible() -> None:
    problem = a_problem([AJob(first=1, delay_cost=0.25)])
    assert evaluate(problem, a_schedule((0, 3))).objective == pytest.approx(1.5)


def test_unplaced_jobs_cost_their_price_and_use_nothing() -> None:
    jobs = [AJob(unplaced_cost=7.0, demand={"cpu": 1}), AJob(demand={"cpu": 2})]
    priced = evaluate(a_problem(jobs, capacity={"cpu": 2}), a_schedule(None, (0, 0)))
    assert priced.objective == pytest.approx(8.0)
    assert priced.usage.tolist() == [[[2.0, 0.0, 0.0, 0.0]]]
    assert priced.job_energy_kwh.tolist() == [0.0, 1.0]


def test_objective_and_emissions_may_weigh_differently() -> None:
    problem = a_problem([AJob()], weight=((-2.0,),), g_per_kwh=((300.0,),))
    priced = evaluate(problem, a_schedule((0, 0)))
    assert (priced.objective, priced.emissions_kg) == (-2.0, pytest.approx(0.3))


def test_no_jobs_cost_nothing() -> None:
    priced = evaluate(a_problem(capacity={"cpu": 1}), Schedule.empty(0))
    assert (priced.objective, priced.emissions_kg) == (0.0, 0.0)
    assert priced.usage.sum() == 0.0


def test_empty_slots_hold_no_speck_of_rounding_below_zero() -> None:
    jobs = [AJob(slots=1, power_kw=p) for p in (0.1, 0.2, 0.3, 0.7)]
    priced = evaluate(a_problem(jobs), a_schedule(*[(0, 0)] * 4))
    assert (priced.load_kwh >= 0).all()
    assert (priced.grid_kwh >= 0).all()


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (a_schedule((0, 0), (0, 0)), "2 jobs, the problem 1"),
        (a_schedule((2, 0)), "region 2 from slot 0; there are 1 regions"),
        (a_schedule((0, 3)), "from slot 3; there are 1 regions and 4 slots"),
        (a_schedule((0, -1)), "from slot -1"),
    ],
)
def test_schedule_of_another_problem_is_refused(
    schedule: Schedule, message: str
) -> None:
    with pytest.raises(ScheduleMismatchError, match=message):
        evaluate(a_problem([AJob(slots=2)]), schedule)

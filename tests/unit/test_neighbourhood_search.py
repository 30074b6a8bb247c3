import numpy as np
import pytest

from benchmarks.synthetic import synthetic_day
from solvers.evaluate import evaluate
from solvers.greedy import Greedy
from solvers.neighbourhood import Neighbourhood
from solvers.neighbourhood.choice import related_jobs
from solvers.neighbourhood.subproblem import freed, placed_at
from solvers.solution import Schedule, SolveOptions
from tests.instances import random_problem
from tests.promises import check_answer

HERE = {"isolate": False}


def some_schedule(problem, seed=0):
    return Greedy().solve(problem, SolveOptions(seed=seed)).schedule


def adds_up(seed: int) -> bool:
    """No budget, which is shared out anew, and no sun drawn by force."""
    places = random_problem(seed).places
    unlimited = np.isinf(places.solar_budget_kwh).all()
    return bool(unlimited and (places.weight_per_kwh >= 0).all())


@pytest.mark.parametrize("seed", [s for s in range(300, 400) if adds_up(s)])
def test_a_part_costs_as_much_as_the_whole_up_to_a_constant(seed):
    problem = random_problem(seed)
    schedule = some_schedule(problem)
    rng = np.random.default_rng(seed)
    jobs = np.flatnonzero(rng.random(problem.n_jobs) < 0.5)
    part = freed(problem, schedule, jobs)
    out = Schedule.empty(len(jobs))
    now = Schedule(region=schedule.region[jobs], start=schedule.start[jobs])
    by_part = evaluate(part, now).objective - evaluate(part, out).objective
    whole = evaluate(problem, schedule).objective
    without = evaluate(problem, placed_at(schedule, jobs, out)).objective
    assert by_part == pytest.approx(whole - without, abs=1e-9, rel=1e-9)


def test_what_the_others_hold_is_not_free():
    problem = synthetic_day(80, seed=3)
    schedule = some_schedule(problem)
    part = freed(problem, schedule, np.arange(20))
    usage = evaluate(problem, placed_at(schedule, np.arange(20), Schedule.empty(20)))
    free = np.maximum(problem.places.capacity - usage.usage, 0.0)
    np.testing.assert_allclose(part.places.capacity, free)


def test_related_jobs_hold_the_seed_and_are_as_many_as_asked_for():
    problem = synthetic_day(200, seed=1)
    jobs = related_jobs(problem, some_schedule(problem), 30, np.random.default_rng(0))
    assert len(np.unique(jobs)) == 30
    everyone = related_jobs(
        problem, some_schedule(problem), 999, np.random.default_rng(0)
    )
    assert everyone.tolist() == list(range(200))


def test_a_greedy_plan_of_a_crowded_day_gets_cheaper():
    problem = synthetic_day(120, seed=2)
    start = some_schedule(problem)
    options = SolveOptions(time_limit_s=4.0, extra=HERE)
    solution = Neighbourhood().solve(problem, options, hint=start)
    objective, _ = check_answer(problem, solution)
    assert objective < evaluate(problem, start).objective
    assert solution.bound is None


def test_a_search_in_a_process_of_its_own_answers_too():
    problem = synthetic_day(60, seed=2)
    start = some_schedule(problem)
    for limit in (5.0, 20.0, 60.0):  # a busy machine may take five seconds to begin
        options = SolveOptions(time_limit_s=limit)
        solution = Neighbourhood().solve(problem, options, hint=start)
        objective, _ = check_answer(problem, solution)
        assert objective <= evaluate(problem, start).objective
        notes = " ".join(solution.stats.notes)
        if "placed again" in notes:
            break
    assert "placed again" in notes


def test_a_child_without_memory_leaves_the_plan_as_it_was():
    problem = synthetic_day(60, seed=2)
    start = some_schedule(problem)
    starved = SolveOptions(time_limit_s=5.0, extra={"memory_gb": 0.001})
    solution = Neighbourhood().solve(problem, starved, hint=start)
    objective, _ = check_answer(problem, solution)
    assert objective == pytest.approx(evaluate(problem, start).objective)
    assert "stopped" in solution.stats.messages[0]

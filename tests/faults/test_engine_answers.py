"""SO-01 to SO-06: whatever an engine does, the run ends with a valid, labelled plan."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

import numpy as np
import pytest

from benchmarks.synthetic import synthetic_day
from solvers.exact.engine import Engine, Outcome, load_engine
from solvers.exact.program import Program
from solvers.exact.solver import Exact
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.problem import FloatArray, Problem
from solvers.solution import Solution, SolveOptions, Status
from tests import misbehaving_engines as engines
from tests.factories_solvers import AJob, a_problem
from tests.instances import Sizes, random_problem
from tests.misbehaving_engines import Lying, Misbehaving

HERE = SolveOptions(gap=1e-6, time_limit_s=20.0, extra={"isolate": False})


def two_jobs_one_core() -> Problem:
    jobs = [AJob(demand={"cpu": 1}), AJob(demand={"cpu": 1})]
    return a_problem(jobs, weight=((3.0, 1.0, 2.0, 4.0),), capacity={"cpu": 1})


def solve_with(
    engine: Engine,
    problem: Problem,
    options: SolveOptions = HERE,
    *,
    second: Engine | None = None,
) -> Solution:
    other = second if second is not None else load_engine("scip")

    def find(name: str) -> Engine:
        return engine if name == "highs" else other

    return Exact("highs", find_engine=find).solve(problem, options)


def said(solution: Solution) -> str:
    return "; ".join(solution.stats.messages)


def zeros(program: Program, hint: FloatArray | None) -> FloatArray:
    return np.zeros(program.n_variables)


def all_at_once(program: Program, hint: FloatArray | None) -> FloatArray:
    return program.upper.copy()


def halves(program: Program, hint: FloatArray | None) -> FloatArray:
    return np.full(program.n_variables, 0.5)


def not_numbers(program: Program, hint: FloatArray | None) -> FloatArray:
    return np.full(program.n_variables, np.nan)


def overbooked(program: Program, hint: FloatArray | None) -> FloatArray:
    """Every job at its group's first place: two on a core for one."""
    values = np.zeros(program.n_variables)
    first = program.indices[program.indptr[:-1]][0]
    values[first] = program.upper[first]
    return values


def nothing(program: Program, hint: FloatArray | None) -> None:
    return None


def test_so_01_time_limit_without_a_solution_falls_back_to_greedy() -> None:
    problem = synthetic_day(40, seed=3)
    engine = Lying(values=nothing, outcome=Outcome.NOTHING)
    solution = solve_with(engine, problem)
    greedy = Greedy().solve(problem, HERE)
    assert solution.objective == greedy.objective
    assert solution.status in (Status.FEASIBLE, Status.PARTIAL)
    assert "found no plan in the time given" in said(solution)


def test_so_01_zeros_handed_back_are_no_plan() -> None:
    problem = two_jobs_one_core()
    solution = solve_with(Lying(values=zeros), problem)
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced == 0


@pytest.mark.parametrize("limit_s", [0.0, 0.5])
@pytest.mark.parametrize("engine", ["highs", "scip", "cbc"])
def test_so_01_no_time_at_all_still_gives_a_plan(engine: str, limit_s: float) -> None:
    problem = synthetic_day(60, seed=1)
    solution = Exact(engine).solve(problem, SolveOptions(time_limit_s=limit_s))
    assert solution.schedule is not None
    assert violations(problem, solution.schedule) == []


def test_so_02_plan_cut_short_is_not_called_best_and_states_its_gap() -> None:
    problem = synthetic_day(120, seed=2)
    solution = Exact().solve(problem, SolveOptions(gap=1e-6, time_limit_s=2.0))
    assert solution.status in (Status.FEASIBLE, Status.PARTIAL)
    assert solution.gap is not None
    assert solution.gap > 1e-6


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (all_at_once, "more than once"),
        (halves, "not whole"),
        (not_numbers, "not whole"),
        (overbooked, "limits broken"),
    ],
)
def test_so_04_broken_answer_is_refused_and_tried_again(
    values: Callable[[Program, FloatArray | None], FloatArray], words: str
) -> None:
    problem = two_jobs_one_core()
    solution = solve_with(Lying(values=values, bound=0.0), problem)
    assert words in said(solution)
    assert "second try" in said(solution)
    assert solution.objective == pytest.approx(3.0)
    assert solution.status is Status.OPTIMAL


def test_so_04_two_broken_answers_leave_the_greedy_plan() -> None:
    problem = two_jobs_one_core()
    lie = Lying(values=overbooked)
    solution = solve_with(lie, problem, second=lie)
    assert solution.schedule is not None
    assert violations(problem, solution.schedule) == []
    assert solution.objective == Greedy().solve(problem, HERE).objective
    assert "second try" in said(solution)


def test_so_05_claim_of_no_plan_is_overruled_by_a_plan() -> None:
    problem = two_jobs_one_core()
    lie = Lying(values=nothing, outcome=Outcome.INFEASIBLE)
    solution = solve_with(lie, problem, second=lie)
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced == 0
    assert "claims that there is no plan" in said(solution)


def test_so_05_bound_above_a_known_plan_is_dropped() -> None:
    problem = two_jobs_one_core()
    lie = Lying(values=nothing, outcome=Outcome.FEASIBLE, bound=1e9)
    solution = solve_with(lie, problem, second=lie)
    assert solution.bound is not None
    assert solution.bound <= 3.0
    assert "the claim is dropped" in said(solution)


@pytest.mark.parametrize(
    ("function", "words"),
    [(engines.abort, "SIGABRT"), (engines.be_killed, "SIGKILL")],
)
def test_so_06_crash_is_survived(function: Callable[[], None], words: str) -> None:
    problem = two_jobs_one_core()
    options = SolveOptions(gap=1e-6, time_limit_s=20.0)
    solution = solve_with(Misbehaving(function), problem, options)
    assert words in said(solution)
    assert solution.objective == pytest.approx(3.0)


def test_so_06_hang_is_ended_soon_after_the_limit(tmp_path: object) -> None:
    problem = two_jobs_one_core()
    hang = Misbehaving(engines.spin_for_ever, (f"{tmp_path}/pid",))
    began = monotonic()
    solution = solve_with(hang, problem, SolveOptions(time_limit_s=1.0))
    assert monotonic() - began < 1.0 + 3.0
    assert "did not end within" in said(solution)
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced == 0


def test_so_07_order_of_jobs_does_not_change_the_plan() -> None:
    problem = random_problem(11, Sizes(jobs=7))
    plan = Exact().solve(problem, HERE)
    order = np.random.default_rng(0).permutation(problem.n_jobs)
    jobs = problem.jobs
    shuffled = type(jobs)(
        **{name: getattr(jobs, name)[order] for name in jobs.__slots__}
    )
    other = Exact().solve(Problem(places=problem.places, jobs=shuffled), HERE)
    assert plan.schedule is not None
    assert other.schedule is not None
    assert other.objective == pytest.approx(plan.objective, rel=1e-12)
    places = sorted(zip(plan.schedule.region, plan.schedule.start, strict=True))
    others = sorted(zip(other.schedule.region, other.schedule.start, strict=True))
    assert places == others

"""``auto`` ends with the best valid plan and the best bound, whoever fails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest

from benchmarks.synthetic import synthetic_day
from solvers.auto import ANNEALING_JOBS, SEARCH_JOBS, Auto
from solvers.errors import EngineError
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.problem import Problem
from solvers.progress import Report
from solvers.registry import load
from solvers.solution import Schedule, Solution, SolveOptions, Stats, Status
from solvers.solver import Solver
from tests.factories_solvers import AJob, a_problem, a_schedule

OPTIONS = SolveOptions(gap=1e-6, time_limit_s=20.0, extra={"isolate": False})


@dataclass
class Stub:
    """Solver that answers, or raises, what a test gives it."""

    name: str
    schedule: Schedule | None = None
    bound: float | None = None
    error: BaseException | None = None
    interrupted: bool = False
    hints: list[Schedule | None] = field(default_factory=list)
    limits: list[float] = field(default_factory=list)

    def solve(
        self,
        problem: Problem,
        options: SolveOptions,
        *,
        hint: Schedule | None = None,
        progress: Report | None = None,
    ) -> Solution:
        self.hints.append(hint)
        self.limits.append(options.time_limit_s)
        if self.error is not None:
            raise self.error
        return Solution(
            status=Status.FEASIBLE,
            schedule=self.schedule,
            objective=0.0,
            bound=self.bound,
            stats=Stats(solver=self.name, interrupted=self.interrupted),
        )


def auto_with(**solvers: Solver) -> Auto:
    names: Mapping[str, str] = dict.fromkeys(solvers, "")
    return Auto(names, lambda name: solvers[name])


def valley() -> Problem:
    """One job that is best at slot 2, bearable at 1."""
    return a_problem([AJob()], weight=((3.0, 2.0, 1.0, 4.0),))


def said(solution: Solution) -> str:
    return "; ".join(solution.stats.messages)


def test_failing_exact_leaves_the_greedy_plan_and_says_so() -> None:
    problem = synthetic_day(20, seed=1)
    broken = Stub("exact", error=EngineError("boom"))
    solution = auto_with(greedy=Greedy(), exact=broken).solve(problem, OPTIONS)
    assert solution.objective == Greedy().solve(problem, OPTIONS).objective
    assert "exact failed: boom" in said(solution)


def test_everything_failing_still_ends_with_a_plan() -> None:
    bad = Stub("greedy", error=EngineError("no"))
    worse = Stub("exact", error=EngineError("no"))
    solution = auto_with(greedy=bad, exact=worse).solve(valley(), OPTIONS)
    assert solution.schedule is not None
    assert solution.schedule.n_unplaced == 1
    assert solution.status is Status.PARTIAL


def test_better_plan_and_better_bound_may_come_from_different_solvers() -> None:
    greedy = Stub("greedy", schedule=a_schedule((0, 0)))
    exact = Stub("exact", schedule=a_schedule((0, 1)), bound=0.5)
    price = Stub("price", schedule=a_schedule((0, 0)), bound=0.9)
    auto = auto_with(greedy=greedy, price=price, exact=exact)
    solution = auto.solve(valley(), OPTIONS)
    assert solution.objective == 2.0
    assert solution.bound == pytest.approx(1.0)
    assert price.hints[0] is not None
    assert price.hints[0].start.tolist() == [1]


def test_broken_plan_is_refused_whoever_made_it() -> None:
    greedy = Stub("greedy", schedule=a_schedule((0, 1)))
    problem = a_problem([AJob(first=1, last=2)], weight=((3.0, 2.0, 1.0, 4.0),))
    exact = Stub("exact", schedule=a_schedule((0, 0)))
    solution = auto_with(greedy=greedy, exact=exact).solve(problem, OPTIONS)
    assert solution.objective == 2.0
    assert "refused" in said(solution)


def test_bound_above_the_plan_is_dropped() -> None:
    greedy = Stub("greedy", schedule=a_schedule((0, 1)))
    exact = Stub("exact", schedule=a_schedule((0, 1)), bound=7.0)
    solution = auto_with(greedy=greedy, exact=exact).solve(valley(), OPTIONS)
    assert solution.bound == pytest.approx(1.0)
    assert "the claim is dropped" in said(solution)


def test_proven_plan_ends_the_run_before_the_exact_engine() -> None:
    exact = Stub("exact")
    solution = auto_with(greedy=Greedy(), exact=exact).solve(valley(), OPTIONS)
    assert solution.status is Status.OPTIMAL
    assert exact.hints == []


def test_interruption_leaves_with_the_best_plan() -> None:
    greedy = Stub("greedy", schedule=a_schedule((0, 1)))
    exact = Stub("exact", error=KeyboardInterrupt())
    solution = auto_with(greedy=greedy, exact=exact).solve(valley(), OPTIONS)
    assert solution.objective == 2.0
    assert solution.stats.interrupted
    assert "stopped by the user" in said(solution)


def test_no_engine_starts_after_one_was_interrupted() -> None:
    greedy = Stub("greedy", schedule=a_schedule((0, 1)))
    exact = Stub("exact", schedule=a_schedule((0, 1)), interrupted=True)
    price = Stub("price")
    auto = auto_with(greedy=greedy, price=price, exact=exact)
    assert auto.solve(valley(), OPTIONS).stats.interrupted
    assert price.hints == []


def test_large_problem_skips_the_exact_model_and_has_an_honest_gap() -> None:
    problem = synthetic_day(3000, seed=2)
    exact = Stub("exact")
    options = SolveOptions(time_limit_s=5.0)
    solution = auto_with(greedy=Greedy(), exact=exact).solve(problem, options)
    assert exact.hints == []
    assert "exact left out" in said(solution)
    assert solution.schedule is not None
    assert violations(problem, solution.schedule) == []
    assert solution.gap is not None
    assert solution.gap > 0.0


def test_prices_and_annealing_follow_the_exact_engine_on_a_small_day() -> None:
    exact, price, annealing = Stub("exact"), Stub("price"), Stub("annealing")
    search = Stub("neighbourhood")
    problem = synthetic_day(10, seed=3)
    auto = auto_with(
        greedy=Greedy(),
        exact=exact,
        price=price,
        annealing=annealing,
        neighbourhood=search,
    )
    auto.solve(problem, OPTIONS)
    assert exact.limits[0] <= 12.0
    assert price.limits[0] <= 10.0
    assert 10.0 < annealing.limits[0] <= 20.0
    assert search.hints == []


def test_a_middling_day_ends_with_the_search() -> None:
    annealing, search = Stub("annealing"), Stub("neighbourhood")
    auto = auto_with(greedy=Greedy(), annealing=annealing, neighbourhood=search)
    auto.solve(synthetic_day(ANNEALING_JOBS + 1, seed=3), OPTIONS)
    assert annealing.hints == []
    assert len(search.hints) == 1


def test_plan_of_annealing_and_bound_of_the_engine_meet() -> None:
    greedy = Stub("greedy", schedule=a_schedule((0, 0)))
    exact = Stub("exact", schedule=a_schedule((0, 3)), bound=1.5)
    annealing = Stub("annealing", schedule=a_schedule((0, 1)))
    auto = auto_with(greedy=greedy, exact=exact, annealing=annealing)
    problem = a_problem([AJob()], weight=((3.0, 2.0, 1.9, 4.0),))
    solution = auto.solve(problem, OPTIONS)
    assert solution.objective == 2.0
    assert solution.bound == pytest.approx(1.9)


def test_jobs_that_greedy_leaves_out_are_packed_first() -> None:
    left_out = Stub("greedy", schedule=Schedule.empty(1))
    packing = Stub("packing", schedule=a_schedule((0, 1)))
    exact = Stub("exact")
    auto = auto_with(greedy=left_out, packing=packing, exact=exact)
    auto.solve(valley(), OPTIONS)
    assert len(packing.hints) == 1
    assert exact.hints[0] is not None
    assert exact.hints[0].start.tolist() == [1]


def test_prices_have_most_of_the_time_where_at_most_packing_follows() -> None:
    price = Stub("price", schedule=Schedule.empty(SEARCH_JOBS + 1))
    packing = Stub("packing")
    auto = auto_with(greedy=Greedy(), price=price, packing=packing)
    options = SolveOptions(time_limit_s=5.0)
    auto.solve(synthetic_day(SEARCH_JOBS + 1, seed=3), options)
    assert 2.5 < price.limits[0] <= 4.0
    assert len(packing.hints) <= 1


def test_nothing_is_packed_where_every_job_has_a_place() -> None:
    greedy = Stub("greedy", schedule=a_schedule((0, 0)))
    packing = Stub("packing")
    auto_with(greedy=greedy, packing=packing).solve(valley(), OPTIONS)
    assert packing.hints == []


def test_auto_equals_exact_on_a_small_day() -> None:
    problem = synthetic_day(12, seed=4)
    auto = load("auto").solve(problem, OPTIONS)
    exact = load("exact").solve(problem, OPTIONS)
    assert auto.objective == pytest.approx(exact.objective, rel=1e-6)
    assert auto.status is Status.OPTIMAL


@pytest.mark.parametrize("seed", [0, 1])
def test_synthetic_day_is_the_same_for_the_same_seed(seed: int) -> None:
    once, again = synthetic_day(500, seed=seed), synthetic_day(500, seed=seed)
    for name in once.jobs.__slots__:
        assert np.array_equal(getattr(once.jobs, name), getattr(again.jobs, name))
    assert np.array_equal(once.places.solar_kwh, again.places.solar_kwh)
    assert (once.jobs.last + once.jobs.n_slots <= once.places.n_slots).all()

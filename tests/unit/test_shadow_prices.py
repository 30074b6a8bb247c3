"""What a limit is worth, against finite differences of the relaxed optimum."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.synthetic import synthetic_day
from solvers.auto import Auto
from solvers.price.bound import lower_bound
from solvers.price.engine import Price
from solvers.price.shadow import Worth, shadow_prices, worth
from solvers.problem import FloatArray, Problem
from solvers.registry import SOLVERS
from solvers.solution import SolveOptions
from tests.factories_solvers import AJob, a_problem
from tests.oracle_lp import relaxed_optimum

OPTIONS = SolveOptions(gap=0.0, time_limit_s=3.0)


def with_limit(problem: Problem, name: str, values: FloatArray) -> Problem:
    return replace(problem, places=replace(problem.places, **{name: values}))


def tight_day(seed: int, *, budget_share: float | None = None) -> Problem:
    """Sixty jobs over twelve hours: short of capacity and of sun."""
    return synthetic_day(
        60,
        seed=seed,
        n_regions=2,
        n_slots=24,
        slot_minutes=60,
        fill=0.7,
        solar_share=0.4,
        budget_share=budget_share,
    )


def dearest(worth: FloatArray) -> tuple[int, ...]:
    place = np.unravel_index(int(worth.argmax()), worth.shape)
    return tuple(int(i) for i in place)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("limit", ["capacity", "solar", "solar_budget"])
def test_a_price_lies_between_the_differences_that_an_lp_finds(limit, seed):
    """Raising a limit saves at most its price, lowering it costs at least that.

    Exact for the best prices; ours prove a bound ``slack`` below the relaxed optimum,
    and so may be off by ``slack`` over the step.
    """
    problem = tight_day(seed, budget_share=0.5 if limit == "solar_budget" else None)
    prices = shadow_prices(problem, OPTIONS)
    found: FloatArray = getattr(worth(problem.places, prices), limit)
    name = limit if limit == "capacity" else f"{limit}_kwh"
    values: FloatArray = getattr(problem.places, name)
    at = dearest(found * values)
    assert found[at] > 0.0
    bound = lower_bound(problem, prices)
    assert bound is not None
    middle = relaxed_optimum(problem)
    slack = middle - bound
    assert -1e-6 <= slack <= 2e-3 * middle
    step = 1.0 if limit == "capacity" else 0.25 * values[at]
    less, more = values.copy(), values.copy()
    less[at] -= step
    more[at] += step
    saved = middle - relaxed_optimum(with_limit(problem, name, more))
    lost = relaxed_optimum(with_limit(problem, name, less)) - middle
    assert saved <= found[at] * step + slack + 1e-9
    assert found[at] * step <= lost + slack + 1e-9
    assert lost > slack  # else the two lines above would say little


def test_capacity_is_worth_what_the_job_that_it_admits_would_save():
    """Two jobs, room for one in the clean slot: the other pays 3 instead of 1."""
    problem = a_problem(
        [AJob(demand={"cpu": 1}, last=1), AJob(demand={"cpu": 1}, last=1)],
        weight=((1.0, 3.0),),
        capacity={"cpu": ((1, 5),)},
    )
    found = worth(problem.places, shadow_prices(problem, OPTIONS))
    assert found.capacity[0, 0, 0] == pytest.approx(2.0, rel=0.02)
    assert found.capacity[0, 0, 1] == pytest.approx(0.0, abs=0.02)


def test_sun_is_worth_the_grid_it_replaces_and_nothing_once_it_is_plenty():
    scarce = a_problem([AJob(last=0)], weight=((2.0,),), solar_kwh=((0.5,),))
    plenty = a_problem([AJob(last=0)], weight=((2.0,),), solar_kwh=((5.0,),))
    worths = [worth(p.places, shadow_prices(p, OPTIONS)) for p in (scarce, plenty)]
    assert worths[0].solar[0, 0] == pytest.approx(2.0, rel=0.01)
    assert worths[1].solar[0, 0] == pytest.approx(0.0, abs=0.02)


def assert_alike(left: Worth, right: Worth) -> None:
    for name in ("capacity", "solar"):
        a, b = getattr(left, name).sum(), getattr(right, name).sum()
        assert a == pytest.approx(b, rel=0.1)


def test_prices_come_out_of_the_engine_and_through_auto():
    problem = synthetic_day(400, seed=2, fill=0.5)
    options = SolveOptions(gap=0.05, time_limit_s=5.0)
    engine = Price().solve(problem, options)
    names = {name: SOLVERS[name] for name in ("greedy", "price")}
    auto = Auto(names).solve(problem, options)
    assert engine.prices is not None
    assert auto.prices is not None
    alone = worth(problem.places, shadow_prices(problem, options))
    assert_alike(worth(problem.places, engine.prices), alone)
    assert_alike(worth(problem.places, auto.prices), alone)


def test_a_day_without_jobs_has_no_dear_limits():
    problem = a_problem([], weight=((1.0, 2.0),), capacity={"cpu": 1})
    found = worth(problem.places, shadow_prices(problem, OPTIONS))
    assert not found.capacity.any()


@pytest.mark.parametrize("n_jobs", [40, 4_000])
def test_scarce_is_dear_however_little_time_there_is(n_jobs):
    """A limit that loading the compiled code used up once left prices untouched."""
    problem = a_problem(
        [AJob(demand={"cpu": 1}, last=1)] * n_jobs,
        weight=((1.0, 3.0),),
        capacity={"cpu": ((n_jobs // 2, n_jobs),)},
    )
    hurried = shadow_prices(problem, SolveOptions(time_limit_s=0.0))
    found = worth(problem.places, hurried)
    assert found.capacity[0, 0, 0] == pytest.approx(2.0, rel=0.1)

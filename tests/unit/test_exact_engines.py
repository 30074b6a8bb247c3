"""Each engine: its options take effect, and its bound is a proof."""

from __future__ import annotations

from time import monotonic

import pytest

from benchmarks.synthetic import synthetic_day
from solvers.errors import (
    ModelTooLargeError,
    SolverNotInstalledError,
    SolverUnknownError,
)
from solvers.exact import engine as engine_module
from solvers.exact.answer import safe_bound, to_schedule, to_values
from solvers.exact.cbc_engine import proven_bound
from solvers.exact.engine import (
    ENGINES,
    EngineOptions,
    Outcome,
    load_engine,
)
from solvers.exact.model import build_model
from solvers.exact.solver import Exact
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.solution import SolveOptions
from tests.factories_solvers import AJob, a_problem
from tests.instances import random_problem
from tests.oracles import brute_force

every_engine = pytest.mark.parametrize("name", ENGINES)


@every_engine
@pytest.mark.parametrize("seed", range(40, 52))
def test_bound_of_every_engine_stays_below_brute_force(name: str, seed: int) -> None:
    problem = random_problem(seed)
    model = build_model(problem)
    options = EngineOptions(gap=1e-4, time_limit_s=10.0)
    answer = load_engine(name)(model.program, options, None)
    optimum = brute_force(problem).objective
    bound = safe_bound(model, answer)
    if name == "cp-sat":
        assert bound is None
    else:
        assert bound is not None
        assert bound <= optimum + 1e-12 * max(1.0, abs(optimum))
    assert answer.values is not None
    assert violations(problem, to_schedule(model, answer.values)) == []


@every_engine
def test_time_limit_takes_effect(name: str) -> None:
    model = build_model(synthetic_day(150, seed=5))
    options = EngineOptions(gap=0.0, time_limit_s=1.0)
    began = monotonic()
    answer = load_engine(name)(model.program, options, None)
    assert monotonic() - began < 30.0  # unlimited, each works for minutes
    assert answer.outcome in (Outcome.FEASIBLE, Outcome.NOTHING)


@pytest.mark.parametrize("name", ["highs", "scip", "cbc"])
def test_wide_gap_stops_early_with_an_honest_bound(name: str) -> None:
    problem = synthetic_day(12, seed=4)
    model = build_model(problem)
    engine = load_engine(name)
    wide = engine(model.program, EngineOptions(gap=0.5, time_limit_s=30.0), None)
    tight = engine(model.program, EngineOptions(gap=1e-6, time_limit_s=30.0), None)
    assert tight.outcome is Outcome.OPTIMAL
    assert wide.bound is not None
    assert tight.bound is not None
    assert tight.values is not None
    best = float(tight.values @ model.program.cost)
    assert wide.bound <= best + 1e-6 * abs(best)
    assert tight.bound == pytest.approx(best, rel=1e-5)


@pytest.mark.parametrize("name", ["scip", "cbc"])
def test_hint_is_used(name: str) -> None:
    problem = synthetic_day(25, seed=6)
    plan = Greedy().solve(problem, SolveOptions())
    assert plan.schedule is not None
    assert plan.objective is not None
    model = build_model(problem)
    start = to_values(model, problem, plan.schedule)
    options = EngineOptions(gap=0.9, time_limit_s=30.0)
    answer = load_engine(name)(model.program, options, start)
    assert answer.values is not None
    cost = float(answer.values @ model.program.cost) * model.unit
    assert cost <= plan.objective * (1 + 1e-9)


@pytest.mark.parametrize("name", ["highs", "scip", "cbc"])
def test_same_seed_gives_the_same_values(name: str) -> None:
    model = build_model(synthetic_day(15, seed=8))
    options = EngineOptions(gap=1e-4, time_limit_s=30.0, seed=3)
    once = load_engine(name)(model.program, options, None)
    again = load_engine(name)(model.program, options, None)
    assert once.values is not None
    assert again.values is not None
    assert once.values.tolist() == again.values.tolist()


@pytest.mark.parametrize("name", ["highs"])
def test_seed_reaches_the_engine(name: str) -> None:
    model = build_model(synthetic_day(25, seed=8))
    answers = set()
    for seed in range(4):
        options = EngineOptions(gap=0.05, time_limit_s=20.0, seed=seed)
        values = load_engine(name)(model.program, options, None).values
        assert values is not None
        answers.add(tuple(values))
    assert len(answers) > 1


@pytest.mark.parametrize(
    ("log", "bound"),
    [
        ("Result - Optimal solution found\n\nObjective value:   12.50000000\n", 12.5),
        (
            "Result - Stopped on time limit\n\nObjective value:   20.000\n"
            "Lower bound:                    -17.250\n",
            -17.251,
        ),
        (
            "Result - Optimal solution found (within gap tolerance)\n\n"
            "Objective value:   20.000\nLower bound:    19.500\n",
            19.499,
        ),
        ("Result - Stopped on time limit\n\nObjective value:   20.000\n", None),
        ("Result - Problem proven infeasible\n\nNo feasible solution found\n", None),
        ("", None),
    ],
)
def test_bound_of_cbc_is_read_from_its_log_or_not_claimed(
    log: str, bound: float | None
) -> None:
    assert proven_bound(log) == (None if bound is None else pytest.approx(bound))


def test_unknown_engine_is_named_with_the_known_ones() -> None:
    with pytest.raises(SolverUnknownError, match=r"gurobi.*highs"):
        Exact("gurobi").solve(a_problem([AJob()]), SolveOptions())


def test_missing_library_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENGINES, "ghost", "no_such_library:solve")
    with pytest.raises(SolverNotInstalledError, match="no_such_library"):
        engine_module.load_engine("ghost")


def test_model_that_is_too_large_is_refused_before_it_is_built() -> None:
    job = AJob(slots=300, last=700)
    problem = a_problem([job] * 120, weight=((1.0,) * 1008,))
    with pytest.raises(ModelTooLargeError, match="limit is"):
        Exact().solve(problem, SolveOptions())

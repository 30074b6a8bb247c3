"""A plan that breaks a limit is not written; the next best one is, and says so."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np
import pytest

from outputs.errors import PlanCheckError
from planner.day import Day
from planner.drafts import check_draft, first_valid
from planner.policies import PolicyRun, run_baselines
from planner.provenance import Occasion
from planner.stopwatch import Stopwatch
from solvers.evaluate import evaluate
from solvers.solution import Schedule, SolveOptions
from tests.factories_workspace import NOW, a_workspace, day_of

OCCASION = Occasion(now=NOW, serial=1, options=SolveOptions(), seconds={})


@pytest.fixture
def day(tmp_path: Path) -> Day:
    """Two jobs that fill the north, so only one runs there at a time."""
    jobs = ({"id": name, "resources": "{ cpu: 4 }"} for name in "ab")
    return day_of(a_workspace(tmp_path, *jobs))


@pytest.fixture
def baselines(day: Day) -> dict[str, PolicyRun]:
    """The plain rules on that day."""
    return run_baselines(day, SolveOptions(), watch=Stopwatch(perf_counter))


def overbooked(day: Day, run: PolicyRun) -> PolicyRun:
    """The answer of a solver at fault: both jobs at once, priced as if that went."""
    wrong = Schedule(
        region=np.zeros(2, dtype=np.int16), start=np.full(2, 6, dtype=np.int32)
    )
    return replace(
        run,
        name="faulty",
        schedule=wrong,
        evaluation=evaluate(day.formulation.problem, wrong),
    )


def test_next_best_plan_takes_the_place_of_one_that_breaks_a_limit(
    day: Day, baselines: dict[str, PolicyRun]
) -> None:
    faulty, greedy = overbooked(day, baselines["greedy"]), baselines["greedy"]
    plan, run = first_valid(
        day, [faulty, greedy], baselines=baselines, occasion=OCCASION
    )
    assert run is greedy
    assert check_draft(day, plan) == ()
    assert plan.meta.degraded
    first = plan.meta.warnings[0]
    assert first.startswith("the plan of faulty failed the independent check")
    assert 'cpu in region "north"' in first


def test_without_any_valid_plan_the_run_ends_with_the_reasons(
    day: Day, baselines: dict[str, PolicyRun]
) -> None:
    faulty = overbooked(day, baselines["greedy"])
    with pytest.raises(PlanCheckError, match=r"faulty failed.*found 8, expected"):
        first_valid(day, [faulty], baselines=baselines, occasion=OCCASION)


def test_sound_plan_is_taken_without_a_word(
    day: Day, baselines: dict[str, PolicyRun]
) -> None:
    plan, _ = first_valid(
        day, [baselines["greedy"]], baselines=baselines, occasion=OCCASION
    )
    assert not plan.meta.degraded
    assert not any("independent check" in warning for warning in plan.meta.warnings)

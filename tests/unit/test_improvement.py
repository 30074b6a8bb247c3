"""What a process of its own brings back is checked before it counts."""

from __future__ import annotations

import time

import numpy as np
import pytest

from solvers.improvement import Found, Work, first_plan, improved
from solvers.problem import Problem
from solvers.solution import Schedule, Solution, SolveOptions, Stats
from tests.factories_solvers import AJob, a_problem, a_schedule
from tests.misbehaving_engines import SlowToArrive, die_improving, use_all_the_time

HERE = SolveOptions(time_limit_s=20.0, extra={"isolate": False})
APART = SolveOptions(time_limit_s=20.0)
EARLY = a_schedule((0, 0))


def a_day(*, last_weight: float = 1.0) -> Problem:
    job = AJob(slots=1, last=2, demand={"cpu": 1})
    return a_problem([job], weight=((2.0, 2.0, last_weight, 0.5),), capacity={"cpu": 1})


def to_the_last(problem: Problem, start: Schedule, options: SolveOptions) -> Found:
    return Found(schedule=a_schedule((0, 2)), note="moved")


def out_of_the_window(
    problem: Problem, start: Schedule, options: SolveOptions
) -> Found:
    return Found(schedule=a_schedule((0, 3)), note="moved too far")


def interrupted(problem: Problem, start: Schedule, options: SolveOptions) -> Found:
    raise KeyboardInterrupt


def bettered(work: Work, day: Problem, options: SolveOptions) -> Solution:
    stats = Stats(solver="test")
    began = time.perf_counter()
    return improved(work, day, EARLY, options, stats=stats, began=began)


def start_of(solution: Solution) -> int:
    assert solution.schedule is not None
    return int(solution.schedule.start[0])


def test_a_cheaper_plan_is_taken_with_its_note() -> None:
    solution = bettered(to_the_last, a_day(), HERE)
    assert start_of(solution) == 2
    assert solution.stats.notes == ("moved",)


@pytest.mark.parametrize(
    ("work", "day"),
    [(to_the_last, a_day(last_weight=3.0)), (out_of_the_window, a_day())],
    ids=["dearer", "invalid"],
)
def test_a_worse_or_broken_plan_is_not_taken(work: Work, day: Problem) -> None:
    assert start_of(bettered(work, day, HERE)) == 0


def test_a_process_that_dies_leaves_the_plan_and_a_message() -> None:
    solution = bettered(die_improving, a_day(), APART)
    assert start_of(solution) == 0
    assert any("SIGKILL" in message for message in solution.stats.messages)
    assert not solution.stats.interrupted


def test_an_interruption_leaves_the_plan_and_is_told() -> None:
    solution = bettered(interrupted, a_day(), HERE)
    assert start_of(solution) == 0
    assert solution.stats.interrupted


def test_no_process_is_started_without_time_for_it() -> None:
    solution = bettered(die_improving, a_day(), SolveOptions(time_limit_s=0.5))
    assert start_of(solution) == 0
    assert solution.stats.messages == ()


@pytest.mark.parametrize("hint", [None, a_schedule((0, 3))], ids=["none", "invalid"])
def test_without_a_valid_hint_the_work_begins_with_greedy(
    hint: Schedule | None,
) -> None:
    np.testing.assert_array_equal(first_plan(a_day(), hint, HERE).start, [2])


def test_a_valid_hint_is_where_the_work_begins() -> None:
    assert first_plan(a_day(), EARLY, HERE) is EARLY


def test_a_process_that_begins_late_works_for_less_time_and_is_heard() -> None:
    options = SolveOptions(time_limit_s=2.5, extra={"slow": SlowToArrive()})
    solution = bettered(use_all_the_time, a_day(), options)
    assert solution.stats.messages == ()
    assert solution.stats.notes == ("no time to begin",)

"""Explaining why jobs are left out keeps to the time that solving was allowed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from planner.day import Day
from planner.policies import PolicyRun, run_policy
from planner.stopwatch import Stopwatch
from planner.unplaced import EXPLAINED, LONGEST_S, unplaced_reasons
from solvers.conflict import Conflict
from solvers.solution import SolveOptions
from tests.factories_workspace import a_workspace, day_of

WHOLE_DAY = {"duration": "24h", "resources": "{ cpu: 4 }"}


@pytest.fixture
def day(tmp_path: Path) -> Day:
    """Five jobs that each want all of the day's cpus."""
    jobs = ({"id": name} | WHOLE_DAY for name in "abcde")
    return day_of(a_workspace(tmp_path, *jobs))


def left_out(day: Day, *, seconds: float) -> PolicyRun:
    """Greedy's plan, which took some time; all but one job are left out."""
    run = run_policy("greedy", day, SolveOptions(), watch=Stopwatch(perf_counter))
    assert run.schedule.n_unplaced == 4
    return replace(run, seconds=seconds)


@pytest.mark.parametrize(
    ("limit_s", "seconds", "together_s"),
    [
        (60.0, 0.0, LONGEST_S * EXPLAINED),
        (60.0, 54.0, 6.0),
        (3.0, 3.5, 0.3),
        (0.0, 1.0, 0.0),
    ],
)
def test_explaining_takes_what_solving_left_of_the_time_or_a_tenth(
    day: Day, limit_s: float, seconds: float, together_s: float
) -> None:
    given: list[float] = []

    def explain(*_: Any, time_limit_s: float) -> Conflict:
        given.append(time_limit_s)
        return Conflict(job=0, decided=False)

    run = left_out(day, seconds=seconds)
    unplaced_reasons(day, run, time_limit_s=limit_s, explain=explain)
    assert given == pytest.approx([together_s / EXPLAINED] * EXPLAINED)


def test_job_has_the_plain_reason_where_there_is_no_time_for_a_proof(day: Day) -> None:
    texts = unplaced_reasons(day, left_out(day, seconds=1.0), time_limit_s=0.0)
    told = [text for text in texts if text is not None]
    assert len(told) == 4
    assert all("other jobs hold the cpu" in text for text in told)

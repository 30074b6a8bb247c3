"""The days that all are given: synthetic ones, and recorded ones where there are."""

from __future__ import annotations

import dataclasses
import time
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np

from benchmarks.trace_workspace import TRACES, write_workspace
from inputs.workspace import load_workspace
from planner.day import prepare_day
from planner.stopwatch import Stopwatch
from solvers.problem import Problem

NOW = datetime(2021, 7, 1, tzinfo=UTC)


def trace_day(name: str, *, data: Path, carbon_day: str, work: Path) -> Problem:
    """A recorded day of jobs on a recorded day of five grids."""
    folder = work / f"{name}-{carbon_day}"
    write_workspace(TRACES[name], data=data, carbon_day=carbon_day, folder=folder)
    day = prepare_day(
        load_workspace(folder, environment={}),
        date.fromisoformat(carbon_day),
        now=NOW,
        environment={},
        watch=Stopwatch(time.perf_counter),
    )
    return day.formulation.problem


def at_home(problem: Problem) -> Problem:
    """The same day, with every job bound to its home region."""
    jobs = problem.jobs
    home = np.arange(problem.places.n_regions) == jobs.home[:, None]
    only = dataclasses.replace(jobs, allowed=jobs.allowed & home)
    return dataclasses.replace(problem, jobs=only)

"""Better a plan by work in a process of its own, none of whose answer is believed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from solvers.errors import EngineError
from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.greedy import Greedy
from solvers.isolation import Limits, run_isolated
from solvers.problem import Problem
from solvers.solution import Schedule, Solution, SolveOptions, Stats
from solvers.verdict import settle

_START_S = 0.5
"""Time that a child needs to start, and again to answer. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """What the work came to: a schedule, and a note for those who look closely."""

    schedule: Schedule
    note: str


Work = Callable[[Problem, Schedule, SolveOptions], Found]
"""Better a schedule within the options' time; at the top of an importable module."""


def first_plan(
    problem: Problem, hint: Schedule | None, options: SolveOptions
) -> Schedule:
    """The hint if it keeps all limits, else greedy's plan, else an empty day."""
    if hint is not None and not violations(problem, hint):
        return hint
    found = Greedy().solve(problem, options).schedule
    return Schedule.empty(problem.n_jobs) if found is None else found


def improved(
    work: Work,
    problem: Problem,
    start: Schedule,
    options: SolveOptions,
    *,
    stats: Stats,
    began: float,
) -> Solution:
    """The work's schedule if it is valid and cheaper, else the one it began with.

    Parameters
    ----------
    work
        Runs in a process of its own unless ``SolveOptions.extra["isolate"]`` is
        False. Should that process fail, or the user stop it, what it found is lost.
    problem, start, options
        What to better, and how long it may take.
    stats
        Who did it; time is filled in here, messages and notes are added.
    began
        When the solve began, on ``time.perf_counter``'s clock. [s]
    """
    left_s = options.time_limit_s - (time.perf_counter() - began)
    best, messages, notes = start, list(stats.messages), list(stats.notes)
    stopped = False
    try:
        found = _done(work, problem, start, options, left_s)
    except EngineError as error:
        messages.append(f"stopped: {error}")
    except KeyboardInterrupt:
        messages.append("stopped by the user")
        stopped = True
    else:
        best = _cheaper(problem, start, found.schedule)
        notes.append(found.note)
    stats = replace(
        stats,
        seconds=time.perf_counter() - began,
        seed=options.seed,
        messages=tuple(messages),
        notes=tuple(notes),
        interrupted=stopped,
    )
    return settle(problem, best, bound=None, asked_gap=options.gap, stats=stats)


def _done(
    work: Work,
    problem: Problem,
    start: Schedule,
    options: SolveOptions,
    left_s: float,
) -> Found:
    if not options.extra.get("isolate", True):
        return work(problem, start, replace(options, time_limit_s=left_s))
    if left_s <= 2 * _START_S:
        return Found(schedule=start, note="no time to begin")
    until = time.monotonic() + left_s - _START_S
    limits = Limits.within(left_s + 1.0, extra=options.extra)
    return run_isolated(
        _work_until, work, problem, start, options, until, limits=limits
    )


def _work_until(
    work: Work, problem: Problem, start: Schedule, options: SolveOptions, until: float
) -> Found:
    """Work in what is left after the start of the process, seconds on a busy machine.

    ``until`` is on ``time.monotonic``'s clock, which all processes share.
    """
    left_s = until - time.monotonic()
    if left_s <= 0:
        return Found(schedule=start, note="no time to begin")
    return work(problem, start, replace(options, time_limit_s=left_s))


def _cheaper(problem: Problem, start: Schedule, found: Schedule) -> Schedule:
    if violations(problem, found):
        return start
    before, after = evaluate(problem, start), evaluate(problem, found)
    return found if after.objective < before.objective else start

"""Score a schedule by the planner's arithmetic, and bring one within the limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.board import Board
from solvers.evaluate import evaluate
from solvers.feasibility import violations
from solvers.problem import Problem
from solvers.solution import UNPLACED, Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What a schedule emits, and which limits it breaks.

    Parameters
    ----------
    emissions_kg
        By ``evaluate``, as if every broken limit could be broken. [kg CO₂e]
    g_per_kwh
        The same over the placed jobs' IT energy, so that plans that leave out
        different jobs can be compared. [g/kWh]
    unplaced
        Jobs left out.
    outside
        Jobs outside their window or regions.
    overbooked
        Slots of a region in which some capacity is exceeded.
    worst
        Largest excess over a capacity, as a share of it.
    """

    emissions_kg: float
    g_per_kwh: float
    unplaced: int
    outside: int
    overbooked: int
    worst: float


def score(problem: Problem, schedule: Schedule) -> Score:
    """Price a schedule and count what it breaks."""
    broken = violations(problem, schedule)
    places = problem.places
    shares = [
        v.excess / places.capacity[places.resources.index(v.limit), v.region, v.slot]
        for v in broken
        if v.slot is not None
    ]
    emissions_kg = evaluate(problem, schedule).emissions_kg
    placed = schedule.region != UNPLACED
    energy = problem.jobs.energy_kwh(places.slot_hours)[placed].sum()
    return Score(
        emissions_kg=emissions_kg,
        g_per_kwh=1000.0 * emissions_kg / energy if energy else 0.0,
        unplaced=schedule.n_unplaced,
        outside=len({v.job for v in broken if v.job is not None}),
        overbooked=len({(v.region, v.slot) for v in broken if v.slot is not None}),
        worst=max(shares, default=0.0),
    )


def made_feasible(problem: Problem, wish: Schedule) -> Schedule:
    """Keep every limit, moving jobs as little as a queue would.

    Jobs come up at the start that was chosen for them, in the region that was chosen,
    and wait for room. Where none comes before the deadline, a job takes the latest
    start with room before its choice; failing that, it tries its other regions in the
    same way, those of low mean intensity first; failing all, it is left out.
    """
    board = Board(problem)
    places, allowed = problem.places, problem.jobs.allowed
    cleanest_first = np.argsort(places.g_per_kwh.mean(axis=1) * places.pue)
    order = np.lexsort((np.arange(problem.n_jobs), wish.start))
    for job in order[wish.region[order] != UNPLACED].tolist():
        chosen = int(wish.region[job])
        others = [r for r in cleanest_first.tolist() if allowed[job, r] and r != chosen]
        for region in (chosen, *others):
            start = _nearest(board, problem, job, region, int(wish.start[job]))
            if start is not None:
                board.place(job, region, start)
                break
    return board.schedule()


def _nearest(
    board: Board, problem: Problem, job: int, region: int, wish: int
) -> int | None:
    """First start with room from the wish on, else the last one before it."""
    open_starts = np.flatnonzero(board.open_starts_in(job, region))
    starts = open_starts + problem.jobs.first[job]
    later = starts[starts >= wish]
    if len(later):
        return int(later[0])
    return int(starts[-1]) if len(starts) else None

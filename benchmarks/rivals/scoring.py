"""Score a schedule by the planner's arithmetic, and bring one within the limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.board import Board, Place
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
    start with room before its choice; where there is none at all, it is left out.
    """
    board = Board(problem)
    order = np.lexsort((np.arange(problem.n_jobs), wish.start))
    for job in order.tolist():
        if wish.region[job] != UNPLACED:
            place = _nearest(board, problem, job, wish)
            if place is not None:
                board.place(job, *place)
    return board.schedule()


def _nearest(board: Board, problem: Problem, job: int, wish: Schedule) -> Place | None:
    region = int(wish.region[job])
    open_starts = np.flatnonzero(board.open_starts_in(job, region))
    starts = open_starts + problem.jobs.first[job]
    later = starts[starts >= wish.start[job]]
    if len(later):
        return region, int(later[0])
    return (region, int(starts[-1])) if len(starts) else None

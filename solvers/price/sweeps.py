"""Re-placing jobs one at a time at true marginal cost, compiled.

One kernel serves every use. With ``fit`` a job goes only where there is room, so a
plan that keeps the limits keeps them throughout; from an empty plan that is the
greedy rule. Without it, room may be overbooked at a penalty per unit, which lets
jobs trade places. A temperature above zero draws each place from the Boltzmann
distribution of its cost (the Gumbel-max trick, Maddison et al. 2014), so that a
falling temperature anneals the plan.
"""

from __future__ import annotations

import numpy as np

from solvers.compiled import compiled, inlined
from solvers.job_columns import JobColumns
from solvers.price.marginal import (
    Board,
    Terms,
    add_penalties,
    mark_full,
    put,
    slot_costs,
)
from solvers.problem import BoolArray, FloatArray, Int64Array

TIE = 1e-12
"""Relative difference of two costs that is taken for rounding."""

NOISE = 4096
"""Number of places in the noise where a row of deviates may begin; a power of 2."""


@compiled
def next_random(state: np.uint64) -> np.uint64:
    """Next number of a xorshift sequence (Marsaglia 2003)."""
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    return state ^ (state << np.uint64(17))


@inlined
def best_start(
    jobs: JobColumns,
    j: int,
    r: int,
    some_full: bool,
    full: BoolArray,
    whole: FloatArray,
    part: FloatArray,
    heat: float,
    noise: FloatArray,
    best: float,
    start: int,
) -> tuple[float, int, bool]:
    """Least cost and start in region ``r``, if it beats those so far, and whether.

    ``noise`` is told of each start, counted from the first one.
    """
    length, first = jobs.n_slots[j], jobs.first[j]
    run, blocked, better = jobs.place_cost[j, r], first - 1, False
    for t in range(first, first + length - 1):
        run += whole[t]
        if some_full and full[t]:
            blocked = t
    for s in range(first, jobs.last[j] + 1):
        t = s + length - 1
        if some_full and full[t]:
            blocked = t
        if blocked < s:
            cost = run + part[t] + jobs.delay_cost[j] * (s - first)
            if heat > 0.0:
                cost -= heat * noise[s - first]
            near = TIE * abs(cost)
            if cost < best - near or (cost <= best + near and s < start):
                best, start, better = cost, s, True
        run += whole[t] - whole[s]
    return best, start, better


@compiled
def best_place(
    jobs: JobColumns,
    j: int,
    board: Board,
    terms: Terms,
    fit: bool,
    heat: float,
    state: np.uint64,
    whole: FloatArray,
    part: FloatArray,
    full: BoolArray,
) -> tuple[int, int, np.uint64]:
    """Cheapest place of a job that is not on the board.

    Ties go to a place before none, to the earliest start, then the first region.
    """
    mask = np.uint64(NOISE - 1)
    state = next_random(state)
    best = jobs.unplaced_cost[j]
    if heat > 0.0:
        best -= heat * terms.noise[np.int64((state >> np.uint64(40)) & mask)]
    region, start = -1, terms.sun_edge.shape[1]
    for r in range(terms.sun_edge.shape[0]):
        if not jobs.allowed[j, r]:
            continue
        slot_costs(jobs, j, r, board, terms, whole, part)
        some_full = False
        if fit:
            some_full = mark_full(jobs, j, r, board, terms, full)
        else:
            add_penalties(jobs, j, r, board, terms, whole, part)
        state = next_random(state)
        noise = terms.noise[np.int64((state >> np.uint64(40)) & mask) :]
        best, start, better = best_start(
            jobs, j, r, some_full, full, whole, part, heat, noise, best, start
        )
        if better:
            region = r
    return region, start, state


@compiled
def sweep(
    jobs: JobColumns,
    order: Int64Array,
    board: Board,
    terms: Terms,
    fit: bool,
    heat: float,
    seed: int,
) -> int:
    """Take the jobs of ``order`` in turn and put each at its best place.

    Parameters
    ----------
    jobs, board, terms
        ``JobColumns``, ``Board`` (changed) and ``Terms``.
    order
        Jobs to look at.
    fit
        Whether room is a must; then the board must be within its capacity, except
        that jobs in overbooked slots are moved out of them or left out.
    heat
        Temperature, in units of the objective; 0 takes the best place.
    seed
        Of the noise.

    Returns
    -------
    int
        Number of jobs that changed place.
    """
    n_slots = terms.sun_edge.shape[1]
    whole = np.empty(n_slots)
    part = np.empty(n_slots)
    full = np.zeros(n_slots, dtype=np.bool_)
    state = np.uint64(seed) * np.uint64(2654435761) + np.uint64(88172645463325252)
    moved = 0
    for j in order:
        old_region, old_start = board.region[j], board.start[j]
        if old_region >= 0:
            put(jobs, j, -1.0, board, terms.metered_hours)
        region, start, state = best_place(
            jobs, j, board, terms, fit, heat, state, whole, part, full
        )
        if region < 0:
            start = -1
        board.region[j], board.start[j] = region, start
        if region >= 0:
            put(jobs, j, 1.0, board, terms.metered_hours)
        if region != old_region or start != old_start:
            moved += 1
    return moved


@compiled
def over_somewhere(
    jobs: JobColumns, lo: int, hi: int, board: Board, over: Int64Array, marks: BoolArray
) -> None:
    """Mark jobs ``lo ≤ j < hi`` that hold units of an overbooked slot.

    ``over`` counts overbooked slots: running sums, shape
    (n_regions, n_resources, n_slots + 1).
    """
    for j in range(lo, hi):
        r, s = board.region[j], board.start[j]
        marks[j] = False
        if r >= 0:
            for k in range(over.shape[1]):
                if jobs.demand[j, k] > 0.0:
                    end = s + jobs.n_slots[j]
                    if over[r, k, end] > over[r, k, s]:
                        marks[j] = True


@compiled
def evict(jobs: JobColumns, order: Int64Array, board: Board, terms: Terms) -> int:
    """Take out jobs that hold units of an overbooked slot, until none is left."""
    taken = 0
    for j in order:
        r, s = board.region[j], board.start[j]
        over = False
        if r >= 0:
            for k in range(board.usage.shape[1]):
                if jobs.demand[j, k] > 0.0:
                    for t in range(s, s + jobs.n_slots[j]):
                        if board.usage[r, k, t] > terms.capacity[r, k, t]:
                            over = True
        if over:
            put(jobs, j, -1.0, board, terms.metered_hours)
            board.region[j], board.start[j] = -1, -1
            taken += 1
    return taken


@compiled
def tally(
    jobs: JobColumns,
    lo: int,
    hi: int,
    board: Board,
    usage: FloatArray,
    load: FloatArray,
    metered_hours: FloatArray,
) -> None:
    """Steps of usage and load of jobs ``lo ≤ j < hi``, to be summed over time."""
    for j in range(lo, hi):
        r, s = board.region[j], board.start[j]
        if r >= 0:
            end = s + jobs.n_slots[j]
            energy = jobs.power_kw[j] * metered_hours[r]
            load[r, s] += energy
            load[r, end - 1] -= energy * (1.0 - jobs.last_fraction[j])
            load[r, end] -= energy * jobs.last_fraction[j]
            for k in range(usage.shape[1]):
                units = jobs.demand[j, k]
                usage[r, k, s] += units
                usage[r, k, end] -= units

"""A plan in the making: sweeps over its jobs, on one core or several."""

from __future__ import annotations

from functools import partial

import numpy as np

from solvers.job_columns import JobColumns
from solvers.price.columns import Limits
from solvers.price.crew import Crew
from solvers.price.marginal import Board, Terms
from solvers.price.sweeps import evict, over_somewhere, sweep, tally
from solvers.problem import BoolArray, FloatArray, Int64Array
from solvers.solution import UNPLACED, Schedule

_LEAST_FOR_PARTS = 20_000
"""Jobs in a sweep from which several cores pay."""
_BLOCKS = 16
"""Times in a sweep at which the cores tell each other what they changed."""


class Plan:
    """Places of all jobs, with the sums that follow from them.

    Parameters
    ----------
    jobs, limits
        The problem as the kernels read it.
    crew
        Threads for the passes over all jobs.
    parts
        Cores that share a sweep. Each sees the moves of the others a block later;
        the result depends on their number, not on their speed.
    """

    def __init__(
        self, jobs: JobColumns, limits: Limits, crew: Crew, parts: int = 1
    ) -> None:
        self.jobs, self.limits = jobs, limits
        self._crew, self._parts = crew, parts
        n_jobs = len(jobs.n_slots)
        self.board = Board(
            region=np.full(n_jobs, UNPLACED, dtype=np.int16),
            start=np.full(n_jobs, UNPLACED, dtype=np.int32),
            usage=np.zeros(limits.capacity.shape),
            load=np.zeros(limits.weight.shape),
        )

    @property
    def overbooked(self) -> BoolArray:
        """Slots in use beyond capacity, shape (n_regions, n_resources, n_slots)."""
        over: BoolArray = self.board.usage > self.limits.capacity
        return over

    def schedule(self) -> Schedule:
        """Copy of the places."""
        return Schedule(region=self.board.region.copy(), start=self.board.start.copy())

    def adopt(self, schedule: Schedule) -> None:
        """Take over the places of a schedule."""
        self.board.region[:] = schedule.region
        self.board.start[:] = schedule.start
        self.recount()

    def recount(self) -> None:
        """Sum usage and load anew, free of the rounding that moves leave behind."""
        n_regions, n_resources, n_slots = self.limits.capacity.shape

        def part(lo: int, hi: int) -> tuple[FloatArray, FloatArray]:
            usage = np.zeros((n_regions, n_resources, n_slots + 1))
            load = np.zeros((n_regions, n_slots + 1))
            hours = self.limits.metered_hours
            tally(self.jobs, lo, hi, self.board, usage, load, hours)
            return usage, load

        parts = self._crew.run(part, len(self.jobs.n_slots))
        usage = sum((p[0] for p in parts), np.zeros(()))
        load = sum((p[1] for p in parts), np.zeros(()))
        self.board.usage[:] = np.cumsum(usage, axis=2)[:, :, :n_slots]
        self.board.load[:] = np.cumsum(load, axis=1)[:, :n_slots]

    def sweep(
        self, order: Int64Array, terms: Terms, *, fit: bool, heat: float, seed: int
    ) -> int:
        """Re-place the jobs of ``order``; the number that moved."""
        if self._parts == 1 or len(order) < _LEAST_FOR_PARTS:
            return int(sweep(self.jobs, order, self.board, terms, fit, heat, seed))
        moved = 0
        for n, block in enumerate(np.array_split(order, _BLOCKS)):
            moved += self._side_by_side(block, terms, fit, heat, seed + 7919 * n)
        return moved

    def _side_by_side(
        self, block: Int64Array, terms: Terms, fit: bool, heat: float, seed: int
    ) -> int:
        """Sweep a block, each core on its share of the jobs and of every limit.

        To a core the others seem to do just what it does itself: it sees its moves
        as if they filled the whole of the limits at once. Else all cores would run
        after the same cheap slots and overshoot.
        """
        board, parts = self.board, self._parts
        terms = _shared(terms, board, parts, fit=fit)
        usage, load = board.usage / parts, board.load / parts
        boards = [
            board._replace(usage=usage.copy(), load=load.copy()) for _ in range(parts)
        ]
        shares = [np.ascontiguousarray(s) for s in np.array_split(block, parts)]
        tasks = [
            partial(sweep, self.jobs, share, own, terms, fit, heat, seed + 104_729 * n)
            for n, (share, own) in enumerate(zip(shares, boards, strict=True))
        ]
        moved = sum(self._crew.each(tasks))
        for own in boards:
            board.usage[:] += own.usage - usage
            board.load[:] += own.load - load
        return int(moved)

    def in_overbooked(self) -> Int64Array:
        """Jobs that hold units of an overbooked slot."""
        over = self.overbooked
        count = np.zeros((*over.shape[:2], over.shape[2] + 1), dtype=np.int64)
        np.cumsum(over, axis=2, out=count[:, :, 1:])
        marks = np.empty(len(self.jobs.n_slots), dtype=np.bool_)

        def part(lo: int, hi: int) -> None:
            over_somewhere(self.jobs, lo, hi, self.board, count, marks)

        self._crew.run(part, len(marks))
        return np.flatnonzero(marks)

    def evict(self, order: Int64Array, terms: Terms) -> int:
        """Leave out jobs of ``order`` that overbook, until none does."""
        return int(evict(self.jobs, order, self.board, terms))

    def copy(self) -> Plan:
        """Plan of its own with the same places."""
        twin = Plan(self.jobs, self.limits, self._crew, self._parts)
        for name in Board._fields:
            getattr(twin.board, name)[:] = getattr(self.board, name)
        return twin


def _shared(terms: Terms, board: Board, parts: int, *, fit: bool) -> Terms:
    """Terms of one of several cores: a part of each limit, at the same prices."""
    capacity = terms.capacity
    if fit:  # rounding in the parts must not add up to more than there is
        spare = np.maximum(capacity - board.usage, 0.0)
        capacity = np.minimum(board.usage, capacity) + spare * (1.0 - 1e-12)
    return terms._replace(
        capacity=capacity / parts,
        edge=terms.edge / parts,
        width=terms.width / parts,
        rise=terms.rise * parts,
        sun_edge=terms.sun_edge / parts,
        sun_width=terms.sun_width / parts,
        sun_rise=terms.sun_rise * parts,
    )


def visiting_order(n_jobs: int, rng: np.random.Generator) -> Int64Array:
    """Random order of all jobs; large numbers in shuffled blocks, for the caches."""
    if n_jobs <= 1_000_000:
        return rng.permutation(n_jobs)
    block = 64
    heads = rng.permutation(-(-n_jobs // block)) * block
    order = (heads[:, None] + np.arange(block)).ravel()
    return order[order < n_jobs]

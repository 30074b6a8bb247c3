r"""The question "who fits?" as intervals and running sums, answered by CP-SAT.

A job is an optional interval in each of its regions, of fixed length and movable
start; a resource of a region is one cumulative constraint over them. That is a far
smaller question than the time-indexed model's, whose relaxation can share a machine
between two halves of jobs, and CP-SAT answers it by propagating over time [1]_.
Energy, carbon and solar are left out.

References
----------
.. [1] Schutt, A., Feydy, T., Stuckey, P. J., Wallace, M. G. (2011). Explaining the
   cumulative propagator. Constraints 16(3). doi:10.1007/s10601-010-9103-2
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.sat.python import cp_model

from solvers.feasibility import TOLERANCE
from solvers.problem import FloatArray, Int64Array, Problem, within_reach
from solvers.solution import UNPLACED, Schedule

LARGEST_DEMAND = 2.0**30
"""Capacity in CP-SAT's whole numbers where demands are fractions."""

LARGEST_PRICE = 10_000
"""Weight of the most expensive job to leave out; the others in proportion."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """What CP-SAT decides about a job: a region each or out, and its start."""

    regions: dict[int, cp_model.IntVar]
    start: cp_model.IntVar
    out: cp_model.IntVar


class _UntilAllFit(cp_model.CpSolverSolutionCallback):
    """Ends the search when nothing is left out; no better answer exists."""

    def on_solution_callback(self) -> None:
        if self.objective_value < 0.5:
            self.stop_search()


def fit(
    problem: Problem,
    start_from: Schedule,
    *,
    seed: int,
    time_limit_s: float,
    workers: int,
    all_in: bool = False,
) -> Schedule | None:
    """Schedule whose left-out jobs weigh least, of those found in time.

    Parameters
    ----------
    problem
        Some hundreds of jobs, or some thousands where there is room to spare.
    start_from
        Schedule that CP-SAT tries first; without a say where all are to be in.
    seed, workers
        With one worker the answer to the same question is the same.
    time_limit_s
        Elapsed time. [s]
    all_in
        Ask only for a schedule that leaves no job out: much the easier question
        where there is one, and often where there is none.

    Returns
    -------
    Schedule or None
        Keeps every limit up to rounding; to be checked. None if none was found.
    """
    problem = within_reach(problem)
    model = cp_model.CpModel()
    choices = _choices(model, problem)
    _keep_capacities(model, problem, choices)
    if all_in:
        for choice in choices:
            model.add(choice.out == 0)
    else:
        _start_from(model, choices, start_from)
        prices = _whole_prices(problem.jobs.unplaced_cost).tolist()
        pairs = zip(prices, choices, strict=True)
        model.minimize(sum(price * choice.out for price, choice in pairs))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = max(time_limit_s, 0.05)
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.num_workers = workers
    status = solver.solve(model, None if all_in else _UntilAllFit())
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return None
    return _schedule(solver, choices)


def _choices(model: cp_model.CpModel, problem: Problem) -> list[_Choice]:
    jobs, most = problem.jobs, problem.places.capacity.max(axis=2, initial=0.0)
    choices = []
    for j in range(problem.n_jobs):
        fits = jobs.allowed[j] & (jobs.demand[j][:, None] <= most).all(axis=0)
        regions = {r: model.new_bool_var("") for r in np.flatnonzero(fits).tolist()}
        start = model.new_int_var(int(jobs.first[j]), int(jobs.last[j]), "")
        out = model.new_bool_var("")
        model.add_exactly_one([*regions.values(), out])
        choices.append(_Choice(regions, start, out))
    return choices


def _keep_capacities(
    model: cp_model.CpModel, problem: Problem, choices: list[_Choice]
) -> None:
    jobs, places = problem.jobs, problem.places
    demand, capacity = _whole_numbers(jobs.demand, places.capacity)
    for r in range(places.n_regions):
        here = [j for j, choice in enumerate(choices) if r in choice.regions]
        intervals = {
            j: model.new_optional_fixed_size_interval_var(
                choices[j].start, int(jobs.n_slots[j]), choices[j].regions[r], ""
            )
            for j in here
        }
        for k in range(places.n_resources):
            users = [j for j in here if demand[j, k] > 0]
            taken, by = _taken(model, capacity[k, r])
            model.add_cumulative(
                [intervals[j] for j in users] + taken,
                [int(demand[j, k]) for j in users] + by,
                int(capacity[k, r].max(initial=0)),
            )


def _taken(
    model: cp_model.CpModel, capacity: Int64Array
) -> tuple[list[cp_model.IntervalVar], list[int]]:
    """Intervals that take away what a slot lacks of the largest capacity."""
    lack = capacity.max(initial=0) - capacity
    edges = np.flatnonzero(np.diff(lack)) + 1
    begins = np.concatenate([[0], edges])
    ends = np.concatenate([edges, [len(lack)]])
    runs = [(b, e) for b, e in zip(begins, ends, strict=True) if lack[b] > 0]
    intervals = [
        model.new_fixed_size_interval_var(int(b), int(e - b), "") for b, e in runs
    ]
    return intervals, [int(lack[b]) for b, _ in runs]


def _whole_numbers(
    demand: FloatArray, capacity: FloatArray
) -> tuple[Int64Array, Int64Array]:
    """Both in units so small that the check's tolerance hides the rounding."""
    scale = np.ones(len(capacity))
    for k in range(len(capacity)):
        largest = max(float(capacity[k].max(initial=0.0)), TOLERANCE)
        whole = (demand[:, k] == np.round(demand[:, k])).all()
        if not whole or largest > LARGEST_DEMAND:
            scale[k] = LARGEST_DEMAND / largest
    # Fractions that add up to a capacity still do when each was rounded up, and one
    # left over by subtraction may lie a hair under its whole number.
    room = np.maximum(capacity, 0.0)
    room = (room + 0.5 * TOLERANCE * np.maximum(room, 1.0)) * scale[:, None, None]
    cut = np.minimum(np.ceil(demand * scale), 2.0 * LARGEST_DEMAND)
    return cut.astype(np.int64), np.floor(room).astype(np.int64)


def _start_from(
    model: cp_model.CpModel, choices: list[_Choice], schedule: Schedule
) -> None:
    places = zip(schedule.region.tolist(), schedule.start.tolist(), strict=True)
    for choice, (region, start) in zip(choices, places, strict=True):
        model.add_hint(choice.out, region == UNPLACED)
        for r, here in choice.regions.items():
            model.add_hint(here, r == region)
        if region != UNPLACED:
            model.add_hint(choice.start, start)


def _whole_prices(unplaced_cost: FloatArray) -> Int64Array:
    most = float(unplaced_cost.max(initial=0.0))
    shares = unplaced_cost / most if most > 0 else np.ones(len(unplaced_cost))
    prices: Int64Array = np.maximum(np.round(shares * LARGEST_PRICE), 1).astype(
        np.int64
    )
    return prices


def _schedule(solver: cp_model.CpSolver, choices: list[_Choice]) -> Schedule:
    region = np.full(len(choices), UNPLACED, dtype=np.int16)
    start = np.full(len(choices), UNPLACED, dtype=np.int32)
    for j, choice in enumerate(choices):
        for r, here in choice.regions.items():
            if solver.boolean_value(here):
                region[j], start[j] = r, solver.value(choice.start)
    return Schedule(region=region, start=start)

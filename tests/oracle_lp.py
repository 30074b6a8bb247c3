"""The relaxed problem as a linear program in plain loops, solved by scipy.

Shares no code with ``solvers``: every place of every job is a share between 0 and 1,
sun is drawn from what there is, within the day's budget.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array

from solvers.problem import Problem


class _Rows:
    """Rows ``Σ value · variable ≤ limit``."""

    def __init__(self) -> None:
        self.entries: list[tuple[int, int, float]] = []
        self.limits: list[float] = []

    def add(self, terms: dict[int, float], limit: float) -> None:
        self.entries += [(len(self.limits), v, x) for v, x in terms.items()]
        self.limits.append(limit)


def relaxed_optimum(problem: Problem) -> float:
    """Least objective when jobs may be split over their places."""
    places, jobs = problem.places, problem.jobs
    n_regions, n_slots = places.weight_per_kwh.shape
    cost = [0.0] * (2 * n_regions * n_slots)  # grid, then sun, of every slot
    most = [np.inf] * (n_regions * n_slots) + places.solar_kwh.ravel().tolist()
    grid = np.arange(n_regions * n_slots).reshape(n_regions, n_slots)
    sun = grid + n_regions * n_slots
    for r in range(n_regions):
        for t in range(n_slots):
            cost[grid[r, t]] = float(places.weight_per_kwh[r, t])
    once = _Rows()
    load: dict[tuple[int, int], dict[int, float]] = {}
    held: dict[tuple[int, int, int], dict[int, float]] = {}
    for j in range(len(jobs)):
        shares = {len(cost): 1.0}
        cost.append(float(jobs.unplaced_cost[j]))
        for r in np.flatnonzero(jobs.allowed[j]).tolist():
            for s in range(int(jobs.first[j]), int(jobs.last[j]) + 1):
                variable = len(cost)
                shares[variable] = 1.0
                waits = s - int(jobs.first[j])
                cost.append(float(jobs.place_cost[j, r] + jobs.delay_cost[j] * waits))
                length = int(jobs.n_slots[j])
                for t in range(s, s + length):
                    part = float(jobs.last_fraction[j]) if t == s + length - 1 else 1.0
                    kwh = jobs.power_kw[j] * places.pue[r] * places.slot_hours * part
                    load.setdefault((r, t), {})[variable] = float(kwh)
                    for k in range(places.n_resources):
                        units = float(jobs.demand[j, k])
                        held.setdefault((k, r, t), {})[variable] = units
        once.add(shares, 1.0)
    most += [1.0] * (len(cost) - len(most))
    rows = _Rows()
    for (k, r, t), terms in held.items():
        if np.isfinite(places.capacity[k, r, t]):
            rows.add(terms, float(places.capacity[k, r, t]))
    for (r, t), terms in load.items():
        rows.add({**terms, int(grid[r, t]): -1.0, int(sun[r, t]): -1.0}, 0.0)
    for r, d in np.argwhere(np.isfinite(places.solar_budget_kwh)).tolist():
        drawn = {int(sun[r, t]): 1.0 for t in np.flatnonzero(places.day == d)}
        rows.add(drawn, float(places.solar_budget_kwh[r, d]))
    found = linprog(
        cost,
        A_ub=_matrix(rows, len(cost)),
        b_ub=rows.limits,
        A_eq=_matrix(once, len(cost)),
        b_eq=once.limits,
        bounds=list(zip([0.0] * len(cost), most, strict=True)),
        method="highs",
    )
    assert found.status == 0, found.message
    return float(found.fun)


def _matrix(rows: _Rows, n_variables: int) -> coo_array:
    row, column, value = zip(*rows.entries, strict=True)
    return coo_array((value, (row, column)), shape=(len(rows.limits), n_variables))

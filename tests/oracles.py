"""Answers found by trying everything, in plain loops.

Nothing here uses the code of ``solvers`` beyond the classes that hold the data: a
fault in pricing, feasibility or search there cannot hide here too.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite

from solvers.problem import Problem
from solvers.solution import Schedule

ROOM = 1e-9
"""Relative rounding that a sum of demands may have."""

Place = tuple[int, int] | None


@dataclass(frozen=True, kw_only=True)
class Optimum:
    """Cheapest assignment and how many partial assignments were looked at."""

    objective: float
    places: tuple[Place, ...]
    nodes: int


def places_of(schedule: Schedule | None) -> list[Place]:
    """Region and start of every job, None where unplaced."""
    assert schedule is not None
    pairs = zip(schedule.region.tolist(), schedule.start.tolist(), strict=True)
    return [None if r < 0 else (r, s) for r, s in pairs]


def price(problem: Problem, places: list[Place]) -> float:
    """Objective of an assignment, slot by slot as the contract words it."""
    day = _Day(problem)
    total = 0.0
    for j, place in enumerate(places):
        if place is None:
            total += day.unplaced[j]
            continue
        total += day.own_cost(j, *place)
        day.add(j, *place, sign=1)
    return total + sum(day.grid_cost(r) for r in range(day.n_regions))


def keeps_limits(problem: Problem, places: list[Place]) -> bool:
    """Whether every window, region rule and capacity is kept."""
    day = _Day(problem)
    for j, place in enumerate(places):
        if place is None:
            continue
        if place not in day.choices(j) or not day.has_room(j, *place):
            return False
        day.add(j, *place, sign=1)
    return True


def brute_force(problem: Problem, *, most_nodes: int = 5_000_000) -> Optimum:
    """Cheapest assignment of all, by depth-first search that skips only the worse.

    A branch is skipped when its cost so far, plus the least that every job still
    open can add even if it had all the sun to itself, reaches the best known.
    """
    search = _Search(problem, most_nodes)
    search.go(0, 0.0)
    return Optimum(
        objective=search.best, places=tuple(search.best_places), nodes=search.nodes
    )


class _Day:
    """Loads and usage of a partial assignment, as lists."""

    def __init__(self, problem: Problem) -> None:
        places, jobs = problem.places, problem.jobs
        self.n_regions, self.n_slots = places.n_regions, places.n_slots
        self.hours = places.slot_hours
        self.weight = places.weight_per_kwh.tolist()
        self.solar = places.solar_kwh.tolist()
        self.budget = places.solar_budget_kwh.tolist()
        self.day = places.day.tolist()
        self.pue = places.pue.tolist()
        self.capacity = places.capacity.tolist()
        self.duration = jobs.n_slots.tolist()
        self.fraction = jobs.last_fraction.tolist()
        self.first, self.last = jobs.first.tolist(), jobs.last.tolist()
        self.allowed = jobs.allowed.tolist()
        self.power = jobs.power_kw.tolist()
        self.demand = jobs.demand.tolist()
        self.place_cost = jobs.place_cost.tolist()
        self.delay = jobs.delay_cost.tolist()
        self.unplaced = jobs.unplaced_cost.tolist()
        self.load = [[0.0] * self.n_slots for _ in range(self.n_regions)]
        self.usage = [
            [[0.0] * self.n_slots for _ in range(self.n_regions)] for _ in self.capacity
        ]

    def choices(self, j: int) -> list[tuple[int, int]]:
        """Every region and start of a job that its own rules allow."""
        return [
            (r, s)
            for s in range(self.first[j], self.last[j] + 1)
            for r in range(self.n_regions)
            if self.allowed[j][r]
        ]

    def energies(self, j: int, r: int) -> list[float]:
        """Metered energy in each slot of a run."""
        full = self.power[j] * self.pue[r] * self.hours
        return [full] * (self.duration[j] - 1) + [full * self.fraction[j]]

    def own_cost(self, j: int, r: int, s: int) -> float:
        """Cost of a place that no other job changes."""
        return float(self.place_cost[j][r] + self.delay[j] * (s - self.first[j]))

    def has_room(self, j: int, r: int, s: int) -> bool:
        """Whether the job fits beside what is there."""
        for k, demand in enumerate(self.demand[j]):
            for t in range(s, s + self.duration[j]):
                limit = self.capacity[k][r][t]
                if self.usage[k][r][t] + demand > limit + ROOM * max(1.0, limit):
                    return False
        return True

    def add(self, j: int, r: int, s: int, *, sign: int) -> None:
        """Put a job in, or take it out."""
        for i, energy in enumerate(self.energies(j, r)):
            self.load[r][s + i] += sign * energy
            for k, demand in enumerate(self.demand[j]):
                self.usage[k][r][s + i] += sign * demand

    def grid_cost(self, r: int) -> float:
        """Cost of a region's grid energy; a budget goes to the dearest slots."""
        left = list(self.budget[r])
        order = sorted(range(self.n_slots), key=lambda t: -self.weight[r][t])
        cost = 0.0
        for t in order:
            used = min(self.load[r][t], self.solar[r][t], left[self.day[t]])
            left[self.day[t]] -= used
            cost += self.weight[r][t] * (self.load[r][t] - used)
        return cost

    def least_cost(self, j: int, r: int, s: int) -> float:
        """Least that a job can add in a place, whoever else is there.

        Convex costs only grow with load, so being alone is cheapest. Where grid
        energy pays (a weight below zero), the job at most earns it in full; under
        a budget it can also draw sun away from the slot where grid pays best.
        """
        cost = self.own_cost(j, r, s)
        for i, energy in enumerate(self.energies(j, r)):
            t = s + i
            weight, sun = self.weight[r][t], min(energy, self.solar[r][t])
            worth = max(weight, 0.0)
            if isfinite(self.budget[r][self.day[t]]):
                same_day = [
                    w
                    for w, d in zip(self.weight[r], self.day, strict=True)
                    if d == self.day[t]
                ]
                worth = weight - min(0.0, *same_day)
            cost += weight * energy - worth * sun
        return cost


class _Search:
    """Depth-first search over the jobs, cheapest places first."""

    def __init__(self, problem: Problem, most_nodes: int) -> None:
        self.day = day = _Day(problem)
        n_jobs = problem.n_jobs
        self.costs = [0.0] * day.n_regions
        self.options: list[list[tuple[float, Place]]] = []
        for j in range(n_jobs):
            options: list[tuple[float, Place]] = [(day.unplaced[j], None)]
            options += [
                (day.least_cost(j, *p), p)
                for p in day.choices(j)
                if day.has_room(j, *p)
            ]
            self.options.append(sorted(options, key=lambda option: option[0]))
        self.order = sorted(range(n_jobs), key=lambda j: len(self.options[j]))
        self.rest = [0.0] * (n_jobs + 1)
        for i in reversed(range(n_jobs)):
            self.rest[i] = self.rest[i + 1] + self.options[self.order[i]][0][0]
        self.now: list[Place] = [None] * n_jobs
        self.best = inf
        self.best_places: list[Place] = list(self.now)
        self.nodes, self.most_nodes = 0, most_nodes

    def go(self, depth: int, own: float) -> None:
        """Try every option of the next job; ``own`` sums costs besides the grid."""
        self.nodes += 1
        if self.nodes > self.most_nodes:
            raise RuntimeError("the instance is too large for brute force")
        grid = sum(self.costs)
        if depth == len(self.order):
            if own + grid < self.best:
                self.best, self.best_places = own + grid, list(self.now)
            return
        j = self.order[depth]
        for least, place in self.options[j]:
            if own + grid + least + self.rest[depth + 1] >= self.best - 1e-12:
                return
            self.now[j] = place
            if place is None:
                self.go(depth + 1, own + self.day.unplaced[j])
            elif self.day.has_room(j, *place):
                self._place(depth, own, j, *place)
            self.now[j] = None

    def _place(self, depth: int, own: float, j: int, r: int, s: int) -> None:
        before, load = self.costs[r], list(self.day.load[r])
        self.day.add(j, r, s, sign=1)
        self.costs[r] = self.day.grid_cost(r)
        self.go(depth + 1, own + self.day.own_cost(j, r, s))
        self.day.add(j, r, s, sign=-1)
        self.day.load[r], self.costs[r] = load, before

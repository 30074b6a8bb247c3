"""Rounds of planning: from the prices' wishes to a plan that keeps every limit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from solvers.price.bands import Bands, prices_within
from solvers.price.chains import make_room
from solvers.price.duals import Point
from solvers.price.plan import Plan, visiting_order
from solvers.problem import FloatArray

Stop = Callable[[], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How one round goes.

    Parameters
    ----------
    learn, close
        Sweeps that improve the prices, and sweeps that close the bands after.
    wide, middle, narrow
        Relative width of the bands at first, between the two, and at the end.
    hot, cool
        Temperature at the start and the end of closing, over the mean cost of a
        job.
    times
        Penalty of an overbooked unit over its dual price.
    anneal
        Sweeps under a falling temperature once every limit is kept, ``warm`` at
        first.
    polish
        Sweeps at true cost after that.
    """

    learn: int
    close: int
    wide: float = 3.0
    middle: float = 1.0
    narrow: float = 0.01
    hot: float = 1e-5
    cool: float = 1e-6
    times: float = 2.0
    warm: float = 1e-2
    anneal: int = 0
    polish: int = 2


def learn(
    plan: Plan,
    bands: Bands,
    course: Course,
    *,
    value: Callable[[Point], float],
    seed: int,
    stop: Stop,
) -> Bands:
    """Improve the prices by planning with them: the method of multipliers.

    After each sweep the price that a slot's fill has within its band becomes the
    price around which the next band is laid (Hestenes 1969; Powell 1969). The best
    prices seen, by the dual function, come back; the plan stays as it is.
    """
    rng = np.random.default_rng(seed)
    best, highest = bands, value(bands.point)
    for n in range(course.learn):
        if stop():
            break
        done = n / max(1, course.learn - 1)
        width = course.wide * (course.middle / course.wide) ** done
        terms = bands.terms(width, bands.penalty(course.times))
        order = visiting_order(len(plan.jobs.n_slots), rng)
        plan.sweep(order, terms, fit=False, heat=0.0, seed=seed + n)
        bands = replace(bands, point=prices_within(terms, plan.board))
        now = value(bands.point)
        if now > highest:
            best, highest = bands, now
    plan.recount()
    return best


def close(
    plan: Plan, bands: Bands, course: Course, *, mean: float, seed: int, stop: Stop
) -> None:
    """Sweep while the bands close; the plan may end with overbooked slots."""
    rng = np.random.default_rng(seed + 1)
    penalty = bands.penalty(course.times)
    for n in range(course.close):
        if stop():
            break
        done = n / max(1, course.close - 1)
        width = course.middle * (course.narrow / course.middle) ** done
        heat = mean * course.hot * (course.cool / course.hot) ** done
        order = visiting_order(len(plan.jobs.n_slots), rng)
        terms = bands.terms(width, penalty)
        plan.sweep(order, terms, fit=False, heat=heat, seed=seed + n)
    plan.recount()


def repair(plan: Plan, bands: Bands, *, seed: int, stop: Stop, tries: int = 60) -> None:
    """Price overbooked slots up until their jobs leave; take out what stays.

    Afterwards the plan keeps every limit.
    """
    rng = np.random.default_rng(seed)
    penalty = bands.penalty(1.5)
    for n in range(tries):
        over = plan.overbooked
        if not over.any() or stop():
            break
        raised = penalty * 1.2 + 0.2 * bands.least_penalty[None, :, None]
        penalty = np.where(over, raised, penalty)
        order = rng.permutation(plan.in_overbooked())
        terms = bands.terms(0.0, penalty)
        plan.sweep(order, terms, fit=False, heat=0.0, seed=n)
        if n % 8 == 7:
            plan.recount()
    clear(plan, bands, penalty, seed=seed)


def clear(plan: Plan, bands: Bands, penalty: FloatArray, *, seed: int) -> None:
    """Take jobs out of overbooked slots and put them where there is room."""
    plan.recount()
    if not plan.overbooked.any():
        return
    rng = np.random.default_rng(seed)
    terms = bands.terms(0.0, penalty)
    plan.evict(rng.permutation(plan.in_overbooked()), terms)
    plan.recount()


def polish(
    plan: Plan, bands: Bands, course: Course, *, mean: float, seed: int, stop: Stop
) -> None:
    """Place what is left out, then re-place at true cost; limits stay kept."""
    rng = np.random.default_rng(seed)
    terms = bands.terms(0.0, bands.penalty(1.0))
    out = np.flatnonzero(plan.board.region < 0)
    size = plan.jobs.unplaced_cost[out] / plan.jobs.n_slots[out]
    plan.sweep(out[np.argsort(-size, kind="stable")], terms, fit=True, heat=0.0, seed=0)
    make_room(plan, terms, stop=stop)
    for n in range(course.anneal + course.polish):
        if stop():
            break
        left = 1.0 - n / course.anneal if n < course.anneal else 0.0
        heat = mean * course.warm * left**3
        order = visiting_order(len(plan.jobs.n_slots), rng)
        moved = plan.sweep(order, terms, fit=True, heat=heat, seed=seed + n)
        if moved == 0 and n >= course.anneal:
            break
    plan.recount()


def earlier(plan: Plan, bands: Bands, *, stop: Stop, most: int = 3) -> None:
    """Move jobs to places that cost the same and come first, in order of index."""
    order = np.arange(len(plan.jobs.n_slots))
    terms = bands.terms(0.0, bands.penalty(1.0))
    for _ in range(most):
        if stop() or plan.sweep(order, terms, fit=True, heat=0.0, seed=0) == 0:
            break
    plan.recount()

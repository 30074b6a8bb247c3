r"""From a schedule to a model's values and back, and what a bound is worth.

Notes
-----
An engine's bound is the value of a basis whose reduced costs may be wrong by its
tolerance :math:`\tau`. In the model the variables of a group sum to its size and
all others lie in [0, 1], so the bound is too high by at most
:math:`\tau\,(n_{jobs} + n_{u} + n_{b} + n_{y})`, which ``safe_bound`` takes off;
a typical job costs 100 in the program's unit, so with :math:`\tau = 10^{-9}` that
is about :math:`10^{-11}` of the objective. The rounding of sums in float64, and the
pruning of nodes within an engine's own tolerance of the best known, are covered by
another ``SAFETY`` of the bound's size.
"""

from __future__ import annotations

import numpy as np

from solvers.errors import SolverCheckError
from solvers.evaluate import solar_used
from solvers.exact.engine import EngineAnswer
from solvers.exact.groups import ungroup
from solvers.exact.model import Model
from solvers.exact.sums import sum_by
from solvers.problem import FloatArray, Int64Array, Problem
from solvers.solution import Schedule

SAFETY = 1e-9
"""Part of a bound's size that is taken off it for rounding."""

WHOLE = 1e-4
"""Farthest that a value may be from a whole number to be taken for one."""


def to_schedule(model: Model, values: FloatArray) -> Schedule:
    """Schedule that an engine's values mean.

    Raises
    ------
    SolverCheckError
        If they mean none: not finite, not whole, or a group placed too often.
    """
    x = np.asarray(values[: model.n_places], dtype=np.float64)
    count = np.round(x)
    if not (np.isfinite(x).all() and (np.abs(x - count) <= WHOLE).all()):
        raise SolverCheckError("the engine's values are not whole numbers")
    columns, groups = model.columns, model.groups
    placed = sum_by(columns.group, count, len(groups))
    if (count < 0).any() or (placed > groups.size).any():
        raise SolverCheckError("the engine placed a job more than once")
    return ungroup(
        groups,
        group=columns.group,
        region=columns.region,
        start=columns.start,
        count=count.astype(np.int64),
    )


def to_values(model: Model, problem: Problem, schedule: Schedule) -> FloatArray:
    """Values of all variables that mean a schedule, as a start for an engine."""
    columns, groups, solar = model.columns, model.groups, model.solar
    count = _count_places(model, problem, schedule)
    placed = sum_by(columns.group, count, len(groups))
    shape = (problem.places.n_regions, problem.places.n_slots)
    load = sum_by(
        columns.entry_cell,
        columns.entry_kwh * count[columns.entry_column],
        shape[0] * shape[1],
    )
    used = solar_used(problem.places, load.reshape(shape)).ravel()[solar.used_cell]
    over = solar.used_cell[solar.overflow]
    wanted = np.minimum(load[solar.used_cell], solar.used_kwh)
    member = solar.used_budget >= 0
    spent = sum_by(
        solar.used_budget[member],
        wanted[member],
        len(solar.budget_kwh),
    )
    is_spent = spent >= solar.budget_kwh
    return np.concatenate(
        [
            count,
            groups.size - placed,
            np.clip(used / solar.used_kwh, 0.0, 1.0),
            load[over] > solar.used_kwh[solar.overflow],
            is_spent[solar.spent_budget],
        ]
    )


def _count_places(model: Model, problem: Problem, schedule: Schedule) -> FloatArray:
    """Jobs at every place; those at places that the model left out are not."""
    columns, (_, n_regions, n_slots, _) = model.columns, problem.shape
    key = _key(columns.group, columns.region, columns.start, n_regions, n_slots)
    jobs = np.flatnonzero(schedule.region >= 0)
    wanted = _key(
        model.groups.of_job[jobs],
        schedule.region[jobs].astype(np.int64),
        schedule.start[jobs].astype(np.int64),
        n_regions,
        n_slots,
    )
    if not len(key):
        return np.zeros(0)
    at = np.minimum(np.searchsorted(key, wanted), len(key) - 1)
    count: FloatArray = np.bincount(at[key[at] == wanted], minlength=len(key)).astype(
        np.float64
    )
    return count


def _key(
    group: Int64Array, region: Int64Array, start: Int64Array, n_regions: int, n: int
) -> Int64Array:
    key: Int64Array = (group * n_regions + region) * n + start
    return key


def safe_bound(model: Model, answer: EngineAnswer) -> float | None:
    """Bound in the problem's unit that holds in spite of the engine's tolerances."""
    if answer.bound is None:
        return None
    program = model.program
    n_jobs = int(model.groups.size.sum())
    n_others = program.n_variables - model.n_places - len(model.groups)
    reduced_costs = answer.tolerance * (n_jobs + n_others)
    return model.unit * (answer.bound - reduced_costs - SAFETY * abs(answer.bound))


def trivial_bound(model: Model) -> float:
    """Bound that needs no engine: every group at its cheapest, all solar used.

    Zero where nothing costs less than zero, exactly, so that a free day is proven.
    """
    program, n_places, groups = model.program, model.n_places, model.groups
    n_placed = n_places + len(groups)
    cheapest = program.cost[n_places:n_placed].copy()
    np.minimum.at(cheapest, model.columns.group, program.cost[:n_places])
    refunds = np.minimum(program.cost[n_placed:], 0.0).sum()
    terms = groups.size * cheapest
    bound = terms.sum() + refunds
    bound -= SAFETY * (np.abs(terms).sum() + abs(refunds))
    if model.costs_nothing_at_least:
        bound = max(bound, 0.0)
    return float(model.unit * bound)

r"""The time-indexed model of a problem, built from arrays.

Indices: groups of equal jobs ``g``, regions ``r``, start slots ``s``, slots ``t``,
resources ``k``, local days ``d``. Variables:

``x[g, r, s]``
    Jobs of the group that start there, a whole number up to the group's size.
``z[g]``
    Jobs of the group that are left out.
``u[r, t]``
    Part of the slot's solar energy that is used, 0 to 1.
``b[r, t]``
    1 where the load may exceed the solar, only where weight is negative.
``y[r, d]``
    1 where a day's solar budget is spent, only where weight is negative.

.. math::

    \min\; & \sum c_{grs} x_{grs} + \sum_g w_g z_g - \sum_{rt} w_{rt} S_{rt} u_{rt} \\
    & \sum_{rs} x_{grs} + z_g = n_g \\
    & \sum_{g,\, s \le t < s + d_g} q_{gk} x_{grs} \le C_{krt} \\
    & u_{rt} \le \sum_{g,\, s \le t < s + d_g}
      \min(1, p_{grt} / S_{rt})\, x_{grs} \\
    & \sum_{t \in d} S_{rt} u_{rt} \le B_{rd}

The cost of a place is that of drawing all its energy from the grid; used solar
gives its weight back. A job whose own energy exceeds the solar of a slot covers it
alone, so its coefficient may stop at 1, which makes the relaxation tighter.

Where the weight is negative (a negative price of electricity), used solar *costs*,
and no engine would use it freely, although the meaning of the problem says it is
used: ``u ≥ min(1, L/S)`` is forced there with ``b``. A budget is spent in the order
of falling weight, so negative slots get what is left of it: either all of them are
covered (``y = 0``) or the budget is spent to the end (``y = 1``). With that the
model's optimum equals the best ``solvers.evaluate`` in every case.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.exact.columns import (
    Columns,
    enumerate_columns,
    most_at_once,
    usable_capacity,
)
from solvers.exact.groups import Groups, group_jobs
from solvers.exact.program import Program, compress
from solvers.exact.rows import RowBlock
from solvers.exact.solar import SolarRows, add_solar_rows, classify_solar
from solvers.problem import FloatArray, Problem

SCALED_JOB_COST = 100.0
"""What a typical place costs an engine; its tolerances are absolute, near 1e-9."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Model:
    """A program and what its variables mean.

    Parameters
    ----------
    program
        Variables in the order x, z, u, b, y; objective in ``unit``.
    unit
        Objective of the problem that 1 in the program stands for, a power of two.
    groups, columns, solar
        What the variables mean.
    costs_nothing_at_least
        Whether every single cost is at least zero, so that no plan is below it.
    """

    program: Program
    unit: float
    groups: Groups
    columns: Columns
    solar: SolarRows
    costs_nothing_at_least: bool

    @property
    def n_places(self) -> int:
        """Number of x variables; they come first."""
        return len(self.columns)


def build_model(problem: Problem) -> Model:
    """Model of a problem, in time and memory linear in its non-zeros."""
    groups = group_jobs(problem.jobs)
    columns = enumerate_columns(problem, groups)
    solar = classify_solar(problem.places, groups, columns)
    place_cost = columns.cost(problem, solar.weight_per_kwh)
    unplaced_cost = problem.jobs.unplaced_cost[groups.first_job]
    unit = _unit(place_cost, unplaced_cost)

    block = RowBlock()
    _add_assignment(block, groups, columns)
    _add_capacity(block, problem, groups, columns)
    n_places, n_groups = len(columns), len(groups)
    add_solar_rows(block, solar, columns, first_variable=n_places + n_groups)

    n_binary = solar.n_variables - len(solar.used_cell)
    cost = np.concatenate([place_cost, unplaced_cost, solar.cost(), np.zeros(n_binary)])
    size = groups.size.astype(np.float64)
    upper = np.concatenate([size[columns.group], size, np.ones(solar.n_variables)])
    integer = np.ones(len(cost), dtype=bool)
    u = n_places + n_groups
    integer[u : u + len(solar.used_cell)] = False
    program = compress(
        block,
        cost=cost / unit,
        lower=np.zeros(len(cost)),
        upper=upper,
        integer=integer,
    )
    return Model(
        program=program,
        unit=unit,
        groups=groups,
        columns=columns,
        solar=solar,
        costs_nothing_at_least=problem.costs_nothing_at_least,
    )


def _add_assignment(block: RowBlock, groups: Groups, columns: Columns) -> None:
    r"""Each job is placed once or left out: :math:`\sum_{rs} x_{grs} + z_g = n_g`."""
    size = groups.size.astype(np.float64)
    block.begin(size, size)
    block.add(columns.group, np.arange(len(columns)), np.ones(len(columns)))
    n_groups = len(groups)
    block.add(
        np.arange(n_groups), len(columns) + np.arange(n_groups), np.ones(n_groups)
    )


def _add_capacity(
    block: RowBlock, problem: Problem, groups: Groups, columns: Columns
) -> None:
    r"""Nothing is overbooked: :math:`\sum q_{gk} x_{grs} \le C_{krt}`.

    Left out where all jobs that can be there at once would fit.
    """
    places = problem.places
    limit = usable_capacity(places).reshape(
        places.n_resources, places.n_regions * places.n_slots
    )
    for k in range(places.n_resources):
        demand = problem.jobs.demand[columns.job, k][columns.entry_column]
        most = most_at_once(columns, groups, demand, limit.shape[1])
        binds = most > limit[k]
        rows = np.cumsum(binds) - 1
        scale = _row_scale(limit[k][binds])
        first = block.begin(np.full(len(scale), -np.inf), limit[k][binds] * scale)
        entry = np.flatnonzero(binds[columns.entry_cell] & (demand > 0))
        row = rows[columns.entry_cell[entry]]
        block.add(first + row, columns.entry_column[entry], demand[entry] * scale[row])


def _row_scale(limit: FloatArray) -> FloatArray:
    """Powers of two that bring huge capacities (bytes) into an engine's range."""
    exponent = np.floor(np.log2(np.maximum(limit, 1.0)))
    scale: FloatArray = np.exp2(-np.maximum(exponent - 20, 0.0))
    return scale


def _unit(place_cost: FloatArray, unplaced_cost: FloatArray) -> float:
    """Scale of the objective, exact in binary."""
    typical = np.abs(place_cost).mean() if len(place_cost) else 0.0
    if typical == 0.0 and len(unplaced_cost):
        typical = np.abs(unplaced_cost).mean()
    if typical == 0.0:
        return 1.0
    return float(np.exp2(np.round(np.log2(typical / SCALED_JOB_COST))))

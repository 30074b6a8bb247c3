"""Variables and rows of on-site solar; ``solvers.exact.model`` states them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.exact.columns import Columns, most_at_once
from solvers.exact.groups import Groups
from solvers.exact.rows import RowBlock
from solvers.exact.sums import sum_by
from solvers.problem import BoolArray, FloatArray, Int64Array, Places


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SolarRows:
    """Which solar variables the model needs, in the order u, b, y.

    Parameters
    ----------
    weight_per_kwh
        Weight of metered energy in place costs, shape (n_regions, n_slots): zero
        where the solar always covers all that can run there, so that neither a
        variable nor a row is needed.
    used_cell, used_kwh, used_weight
        Cell of every u, its solar energy and its weight, shape (n_used,).
    forced
        Whether used solar costs there and has to be forced, shape (n_used,).
    needs_ceiling
        Whether a row must keep u below the load, shape (n_used,).
    most_kwh
        Most load that can be there at once, shape (n_used,). [kWh]
    overflow
        u's index for every b, shape (n_overflow,).
    used_budget
        Index of the binding budget of every u, -1 if none, shape (n_used,).
    budget_kwh
        Binding budgets, shape (n_budgets,). [kWh]
    spent_budget
        Budget's index for every y, shape (n_spent,).
    """

    weight_per_kwh: FloatArray
    used_cell: Int64Array
    used_kwh: FloatArray
    used_weight: FloatArray
    forced: BoolArray
    needs_ceiling: BoolArray
    most_kwh: FloatArray
    overflow: Int64Array
    used_budget: Int64Array
    budget_kwh: FloatArray
    spent_budget: Int64Array

    @property
    def n_variables(self) -> int:
        """Number of u, b and y together."""
        return len(self.used_cell) + len(self.overflow) + len(self.spent_budget)

    def cost(self) -> FloatArray:
        """Objective of u: what the used solar is worth, negative where it saves."""
        return -self.used_weight * self.used_kwh


def classify_solar(places: Places, groups: Groups, columns: Columns) -> SolarRows:
    """Decide cell by cell what the model has to say about solar."""
    n_slots = places.n_slots
    weight = places.weight_per_kwh.ravel()
    solar = places.solar_kwh.ravel()
    most = most_at_once(columns, groups, columns.entry_kwh, places.n_regions * n_slots)
    usable = np.minimum(solar, most)
    budget, cell_budget = _budgets(places, usable)
    budgeted = cell_budget >= 0
    active = (usable > 0) & (budget[cell_budget] > 0.0)
    covered = active & ~budgeted & (most <= solar)
    some_forced = np.zeros(len(budget), dtype=bool)
    some_forced[cell_budget[active & budgeted & (weight < 0)]] = True
    used = active & ~covered & ((weight != 0) | some_forced[cell_budget])
    cell = np.flatnonzero(used)

    forced = weight[cell] < 0
    used_budget = cell_budget[cell]
    kept, renumbered = np.unique(used_budget, return_inverse=True)
    if len(kept) and kept[0] < 0:
        kept, renumbered = kept[1:], renumbered - 1
    return SolarRows(
        weight_per_kwh=np.where(covered, 0.0, weight).reshape(-1, n_slots),
        used_cell=cell,
        used_kwh=solar[cell],
        used_weight=weight[cell],
        forced=forced,
        needs_ceiling=~forced | (used_budget >= 0),
        most_kwh=most[cell],
        overflow=np.flatnonzero(forced & (most[cell] > solar[cell])),
        used_budget=renumbered.reshape(-1).astype(np.int64),
        budget_kwh=budget[kept],
        spent_budget=np.flatnonzero(some_forced[kept]),
    )


def _budgets(places: Places, usable: FloatArray) -> tuple[FloatArray, Int64Array]:
    """Budgets that can bind, an infinite one at the end, and every cell's budget.

    A cell without a budget has -1 and so means the one at the end.
    """
    n_days = places.solar_budget_kwh.shape[1]
    region = np.repeat(np.arange(places.n_regions), places.n_slots)
    of_cell = region * n_days + np.tile(places.day, places.n_regions)
    budget = places.solar_budget_kwh.ravel()
    most = sum_by(of_cell, usable, len(budget))
    binds = np.flatnonzero(most > budget)
    index = np.full(len(budget), -1)
    index[binds] = np.arange(len(binds))
    return np.append(budget[binds], np.inf), index[of_cell]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Layout:
    """First variable of u, b and y, and the entries that load a cell with a u."""

    used: int
    overflow: int
    spent: int
    entry: Int64Array
    entry_u: Int64Array
    y_of_u: Int64Array


def add_solar_rows(
    block: RowBlock, solar: SolarRows, columns: Columns, *, first_variable: int
) -> None:
    """Add the rows of all solar variables, which start at ``first_variable``."""
    n_used, n_overflow = len(solar.used_cell), len(solar.overflow)
    cells = np.concatenate([columns.entry_cell, solar.used_cell, [-1]])
    u_of_cell = np.full(int(cells.max()) + 1, -1)
    u_of_cell[solar.used_cell] = np.arange(n_used)
    u = u_of_cell[columns.entry_cell]
    entry = np.flatnonzero((u >= 0) & (columns.entry_kwh > 0))
    y_of_budget = np.full(len(solar.budget_kwh) + 1, -1)
    y_of_budget[solar.spent_budget] = np.arange(len(solar.spent_budget))
    layout = _Layout(
        used=first_variable,
        overflow=first_variable + n_used,
        spent=first_variable + n_used + n_overflow,
        entry=entry,
        entry_u=u[entry],
        y_of_u=y_of_budget[solar.used_budget],
    )
    _add_ceiling(block, solar, columns, layout)
    _add_budgets(block, solar, layout)
    _add_floor(block, solar, columns, layout)


def _add_ceiling(
    block: RowBlock, solar: SolarRows, columns: Columns, layout: _Layout
) -> None:
    r"""Solar is used by a load: :math:`u_{rt} \le \sum \min(1, p/S)\, x`."""
    chosen = np.flatnonzero(solar.needs_ceiling)
    row_of_u = np.cumsum(solar.needs_ceiling) - 1
    first = block.begin(np.full(len(chosen), -np.inf), np.zeros(len(chosen)))
    rows = first + np.arange(len(chosen))
    block.add(rows, layout.used + chosen, np.ones(len(chosen)))
    kept = solar.needs_ceiling[layout.entry_u]
    entry, u = layout.entry[kept], layout.entry_u[kept]
    share = np.minimum(1.0, columns.entry_kwh[entry] / solar.used_kwh[u])
    block.add(first + row_of_u[u], columns.entry_column[entry], -share)


def _add_budgets(block: RowBlock, solar: SolarRows, layout: _Layout) -> None:
    r"""A day's budget holds: :math:`\sum_t S u \le B`, and :math:`\ge B y`."""
    member = np.flatnonzero(solar.used_budget >= 0)
    budget = solar.used_budget[member]
    share = solar.used_kwh[member] / solar.budget_kwh[budget]
    n_budgets, n_spent = len(solar.budget_kwh), len(solar.spent_budget)
    first = block.begin(np.full(n_budgets, -np.inf), np.ones(n_budgets))
    block.add(first + budget, layout.used + member, share)

    y = layout.y_of_u[member]
    kept = y >= 0
    first = block.begin(np.zeros(n_spent), np.full(n_spent, np.inf))
    block.add(first + y[kept], layout.used + member[kept], share[kept])
    every = np.arange(n_spent)
    block.add(first + every, layout.spent + every, np.full(n_spent, -1.0))


def _add_floor(
    block: RowBlock, solar: SolarRows, columns: Columns, layout: _Layout
) -> None:
    r"""Solar that costs is used all the same: :math:`u \ge \min(1, L/S)`.

    As :math:`L/S - u \le (L^{max}/S - 1)\, b + y` and :math:`b - y \le u`.
    """
    chosen = np.flatnonzero(solar.forced)
    row_of_u = np.cumsum(solar.forced) - 1
    first = block.begin(np.full(len(chosen), -np.inf), np.zeros(len(chosen)))
    _subtract_u_and_y(block, layout, u=chosen, first_row=first)
    kept = solar.forced[layout.entry_u]
    entry, u = layout.entry[kept], layout.entry_u[kept]
    share = columns.entry_kwh[entry] / solar.used_kwh[u]
    block.add(first + row_of_u[u], columns.entry_column[entry], share)
    over = solar.overflow
    b = layout.overflow + np.arange(len(over))
    beyond = solar.most_kwh[over] / solar.used_kwh[over] - 1.0
    block.add(first + row_of_u[over], b, -beyond)

    first = block.begin(np.full(len(over), -np.inf), np.zeros(len(over)))
    block.add(first + np.arange(len(over)), b, np.ones(len(over)))
    _subtract_u_and_y(block, layout, u=over, first_row=first)


def _subtract_u_and_y(
    block: RowBlock, layout: _Layout, *, u: Int64Array, first_row: int
) -> None:
    rows = first_row + np.arange(len(u))
    block.add(rows, layout.used + u, np.full(len(u), -1.0))
    y = layout.y_of_u[u]
    kept = y >= 0
    block.add(rows[kept], layout.spent + y[kept], np.full(int(kept.sum()), -1.0))

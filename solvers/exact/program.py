"""A mixed-integer program as plain arrays: all that an engine is told."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.exact.rows import RowBlock, joined
from solvers.exact.sums import sum_by
from solvers.problem import BoolArray, FloatArray, Int64Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """Minimise ``cost · v`` with ``row_lower ≤ A v ≤ row_upper`` and bounds on v.

    Parameters
    ----------
    cost, lower, upper
        Objective and finite bounds of every variable, shape (n_variables,).
    integer
        Whether it must be a whole number, shape (n_variables,).
    row_lower, row_upper
        Limits of every row, infinite where there is none, shape (n_rows,).
    indptr, indices, values
        The matrix in compressed rows, columns ascending within a row.
    """

    cost: FloatArray
    lower: FloatArray
    upper: FloatArray
    integer: BoolArray
    row_lower: FloatArray
    row_upper: FloatArray
    indptr: Int64Array
    indices: Int64Array
    values: FloatArray

    @property
    def n_variables(self) -> int:
        """Number of variables."""
        return len(self.cost)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.row_lower)

    @property
    def entry_row(self) -> Int64Array:
        """Row of every non-zero, shape (n_nonzeros,)."""
        return np.repeat(np.arange(self.n_rows), np.diff(self.indptr))

    def activity(self, values: FloatArray) -> FloatArray:
        """``A v``, shape (n_rows,)."""
        terms = self.values * values[self.indices]
        total: FloatArray = sum_by(self.entry_row, terms, self.n_rows)
        return total


def compress(
    block: RowBlock,
    *,
    cost: FloatArray,
    lower: FloatArray,
    upper: FloatArray,
    integer: BoolArray,
) -> Program:
    """Program of a finished block of rows."""
    row = np.concatenate(block.rows) if block.rows else np.zeros(0, dtype=np.int64)
    column = np.concatenate(block.columns) if block.columns else row
    value = joined(block.values)
    order = np.lexsort((column, row))
    counts = np.bincount(row, minlength=block.n_rows)
    return Program(
        cost=cost,
        lower=lower,
        upper=upper,
        integer=integer,
        row_lower=joined(block.lower),
        row_upper=joined(block.upper),
        indptr=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        indices=column[order],
        values=value[order],
    )

"""Sparse rows gathered as arrays, whole families at a time."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from solvers.problem import FloatArray, Int64Array


@dataclass(slots=True)
class RowBlock:
    """Rows under construction; a family of limits adds itself in one call."""

    n_rows: int = 0
    rows: list[Int64Array] = field(default_factory=list)
    columns: list[Int64Array] = field(default_factory=list)
    values: list[FloatArray] = field(default_factory=list)
    lower: list[FloatArray] = field(default_factory=list)
    upper: list[FloatArray] = field(default_factory=list)

    def begin(self, lower: FloatArray, upper: FloatArray) -> int:
        """Open one row for each pair of limits; returns the first row's index."""
        first = self.n_rows
        self.n_rows += len(lower)
        self.lower.append(np.asarray(lower, dtype=np.float64))
        self.upper.append(np.asarray(upper, dtype=np.float64))
        return first

    def add(self, row: Int64Array, column: Int64Array, value: FloatArray) -> None:
        """Put terms into open rows; a row never gets the same column twice."""
        self.rows.append(np.asarray(row, dtype=np.int64))
        self.columns.append(np.asarray(column, dtype=np.int64))
        self.values.append(np.asarray(value, dtype=np.float64))


def joined(parts: list[FloatArray]) -> FloatArray:
    """All parts, one after another; empty if there are none."""
    return np.concatenate(parts) if parts else np.zeros(0)

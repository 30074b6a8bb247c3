"""Sums of numbers by index, in float64 even where there are none."""

from __future__ import annotations

import numpy as np

from solvers.problem import FloatArray, Int64Array


def sum_by(index: Int64Array, amount: FloatArray, n: int) -> FloatArray:
    """Sum of the amounts of every index, shape (n,)."""
    sums = np.bincount(index, weights=amount, minlength=n)
    return np.asarray(sums, dtype=np.float64)

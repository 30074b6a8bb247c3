r"""A program rounded outwards to whole numbers, for an engine that knows no other.

Every variable gets a unit: 1 for whole ones, a small fraction for the others. A
row's terms and limits are multiplied by a power of two and rounded so that what
was allowed stays allowed; a cost is rounded down. No plan is lost so: if :math:`v`
keeps a row, so does :math:`\lceil v / \text{unit} \rceil` the rounded row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.exact.program import Program
from solvers.exact.sums import sum_by
from solvers.problem import FloatArray

FRACTION = 2.0**-20
"""Unit of a variable that need not be whole."""

LARGEST_ACTIVITY = 2.0**50
"""Of a row or the objective; CP-SAT adds them up in 64 bits."""

SMALLEST_REACH = 2.0**-200
"""Stands in for the activity of an empty row."""

LARGEST_LIMIT = 2.0**60
"""Stands for infinity in a rounded row."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class WholeProgram:
    """A rounded program and the way back.

    Parameters
    ----------
    program
        Whole numbers in all its arrays.
    variable_unit
        What 1 means in the original, shape (n_variables,).
    """

    program: Program
    variable_unit: FloatArray

    def to_whole(self, values: FloatArray) -> FloatArray:
        """Values of the original as values of the rounded program."""
        whole: FloatArray = np.ceil(values / self.variable_unit - 1e-6)
        return np.clip(whole, self.program.lower, self.program.upper)

    def from_whole(self, whole: FloatArray) -> FloatArray:
        """Values of the rounded program as values of the original."""
        values: FloatArray = whole * self.variable_unit
        return values


def round_outwards(program: Program) -> WholeProgram:
    """Rounded program whose best is never above that of the original."""
    unit = np.where(program.integer, 1.0, FRACTION)
    upper = np.ceil(program.upper / unit)
    terms, row_lower, row_upper = _whole_rows(program, unit, upper)
    cost = program.cost * unit
    cost_reach = np.maximum(np.abs(cost) @ upper, SMALLEST_REACH)
    return WholeProgram(
        program=Program(
            cost=np.floor(cost * _power_below(LARGEST_ACTIVITY / cost_reach)),
            lower=np.floor(program.lower / unit),
            upper=upper,
            integer=np.ones(program.n_variables, dtype=bool),
            row_lower=np.maximum(row_lower, -LARGEST_LIMIT),
            row_upper=np.minimum(row_upper, LARGEST_LIMIT),
            indptr=program.indptr,
            indices=program.indices,
            values=terms,
        ),
        variable_unit=unit,
    )


def _whole_rows(
    program: Program, unit: FloatArray, upper: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Terms, lower and upper limits of the rows in whole numbers.

    A row is a ceiling, a floor, or an equation of whole numbers: a ceiling's terms go
    down, a floor's up. Rounding a fraction up adds at most one unit.
    """
    row = program.entry_row
    terms = program.values * unit[program.indices]
    reach = sum_by(row, np.abs(terms) * upper[program.indices], program.n_rows)
    scale = _power_below(LARGEST_ACTIVITY / np.maximum(reach, SMALLEST_REACH))
    terms = terms * scale[row]
    is_floor = np.isinf(program.row_upper)
    whole = np.where(is_floor[row], np.ceil(terms), np.floor(terms))
    fractional = unit[program.indices] < 1.0
    rising = fractional & ((whole > 0) != is_floor[row])
    rises = sum_by(row, np.where(rising, np.abs(whole), 0.0), program.n_rows)
    return (
        whole,
        np.floor(program.row_lower * scale) - rises,
        np.ceil(program.row_upper * scale) + rises,
    )


def _power_below(values: FloatArray) -> FloatArray:
    """Largest power of two that is at most each value, at most 2 to the 40."""
    power: FloatArray = np.exp2(np.minimum(np.floor(np.log2(values)), 40.0))
    return power

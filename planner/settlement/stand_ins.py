"""What stands in for values that nobody has measured yet."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt

from inputs.timegrid import TimeGrid
from solvers.problem import FloatArray

_DAY_US = 86_400_000_000

OriginArray = npt.NDArray[np.int8]


class Origin(IntEnum):
    """Where the value of one slot comes from, best first."""

    ACTUAL = 0
    """Measured, or said after the hour was over."""
    FORECAST = 1
    """What the plan trusted."""
    EARLIER = 2
    """The value of the same time of an earlier day, beyond the planned horizon."""


def filled(
    actual: FloatArray, planned: FloatArray | None, grid: TimeGrid
) -> tuple[FloatArray, OriginArray]:
    """Values with what stands in for missing ones, and the origin of each.

    Parameters
    ----------
    actual
        NaN where nothing is known, shape (n_slots,).
    planned
        Forecast on the first slots, None if it is gone.
    """
    values = actual.copy()
    origin = np.full(grid.n_slots, Origin.ACTUAL, dtype=np.int8)
    if planned is not None:
        padded = np.full(grid.n_slots, np.nan)
        padded[: len(planned)] = planned[: grid.n_slots]
        use = ~np.isfinite(values) & np.isfinite(padded)
        values[use], origin[use] = padded[use], Origin.FORECAST
    per_day = max(_DAY_US // grid.step_us, 1)
    for t in np.flatnonzero(~np.isfinite(values)).tolist():
        back = t - per_day if t >= per_day else t - 1
        if back >= 0:
            values[t], origin[t] = values[back], Origin.EARLIER
    return values, origin

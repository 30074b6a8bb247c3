"""The jobs of a problem as compiled kernels read them: plain arrays of one type."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from solvers.problem import (
    BoolArray,
    FloatArray,
    Int16Array,
    Int32Array,
    RigidJobs,
)

_Scalar = TypeVar("_Scalar", bound=np.generic)


class JobColumns(NamedTuple):
    """The columns of ``RigidJobs`` that kernels need, contiguous and read-only."""

    n_slots: Int32Array
    last_fraction: FloatArray
    first: Int32Array
    last: Int32Array
    allowed: BoolArray
    power_kw: FloatArray
    demand: FloatArray
    place_cost: FloatArray
    delay_cost: FloatArray
    unplaced_cost: FloatArray
    home: Int16Array


def job_columns(
    jobs: RigidJobs, subset: npt.NDArray[np.intp] | None = None
) -> JobColumns:
    """Columns of all jobs, or of a subset in its order."""

    def column(name: str) -> npt.NDArray[np.generic]:
        values: npt.NDArray[np.generic] = getattr(jobs, name)
        return constant(values if subset is None else values[subset])

    return JobColumns(*(column(name) for name in JobColumns._fields))  # type: ignore[arg-type]


def constant(values: npt.NDArray[_Scalar]) -> npt.NDArray[_Scalar]:
    """Contiguous and read-only: one type, so that kernels are compiled once."""
    view = np.ascontiguousarray(values).view()
    view.setflags(write=False)
    return view

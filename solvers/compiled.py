"""Compiling of kernels, with the machine code kept on disk between runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def compiled(kernel: Kernel) -> Kernel:
    """Machine code for a kernel, built at its first call.

    The code releases the interpreter's lock, so that threads share the work, and
    keeps strict IEEE arithmetic: sums are never reordered behind the proof's back.
    Where no folder can be written, it is compiled anew in each process.
    """
    try:
        return cast(Kernel, numba.njit(nogil=True, cache=True)(kernel))
    except RuntimeError:  # numba found no folder for its cache
        return cast(Kernel, numba.njit(nogil=True)(kernel))


def inlined(kernel: Kernel) -> Kernel:
    """A part of kernels that is compiled into each of them.

    A call between kernels counts references to every array that it passes, a third
    of the time of a kernel that looks at each job for half a microsecond.
    """
    return cast(Kernel, numba.njit(nogil=True, inline="always")(kernel))

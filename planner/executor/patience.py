"""How much time back ends that do not answer may cost one run of the executor.

A call that is refused at once costs nothing and may be made for every job. One that is
met by silence costs its whole time limit, and others wait meanwhile.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from planner.executor.errors import BackendError
from planner.executor.records import Dispatch

MOST_S = 60.0
"""Calls to one back end about one region that come to nothing cost no more. [s]"""


class Patience:
    """What is left of it in one run, for each back end and region.

    Parameters
    ----------
    timer
        A steady clock. [s]
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._lost_s: defaultdict[tuple[str, str], float] = defaultdict(float)

    def is_over(self, dispatch: Dispatch) -> bool:
        """Whether its back end is left alone until the next run."""
        return self._lost_s[_place(dispatch)] >= MOST_S

    @contextmanager
    def with_call(self, dispatch: Dispatch) -> Iterator[None]:
        """Calls about a dispatch; one that comes to nothing ends the block."""
        began = self._timer()
        try:
            yield
        except BackendError:
            self._lost_s[_place(dispatch)] += self._timer() - began


def _place(dispatch: Dispatch) -> tuple[str, str]:
    return dispatch.executor, dispatch.region

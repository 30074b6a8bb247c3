"""How much time back ends that do not answer may cost one run of the executor.

A call that is refused at once costs nothing and may be made for every job. One that is
met by silence costs its whole time limit, and others wait meanwhile.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from planner.executor.errors import BackendError, ElsewhereError
from planner.executor.records import Dispatch

T = TypeVar("T")

MOST_S = 60.0
"""Calls to one back end about one region that come to nothing cost no more. [s]"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What a back end did not tell in one run.

    Parameters
    ----------
    executor
        Name of the back end.
    dispatches
        How many it was, or was to be, asked about in vain.
    reason
        Why, as of the first of them.
    """

    executor: str
    dispatches: int
    reason: str


class Patience:
    """What is left of it in one run, for each back end and region.

    Parameters
    ----------
    timer
        A steady clock. [s]
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._lock = threading.Lock()
        self._lost_s: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._in_vain: defaultdict[str, set[str]] = defaultdict(set)
        self._reasons: dict[str, str] = {}

    @property
    def silences(self) -> tuple[Silence, ...]:
        """What was asked in vain, by back end."""
        return tuple(
            Silence(executor=name, dispatches=len(keys), reason=self._reasons[name])
            for name, keys in sorted(self._in_vain.items())
        )

    def ask(self, dispatch: Dispatch, call: Callable[[], T]) -> T | None:
        """What a call about a dispatch returns; None if it comes to nothing.

        Once too much time was lost, it is left for the next run.
        """
        place, began = (dispatch.executor, dispatch.region), self._timer()
        if self._lost_s[place] >= MOST_S:
            self._note(dispatch)
            return None
        try:
            return call()
        except ElsewhereError:
            return None
        except BackendError as error:
            self._note(dispatch, str(error), self._timer() - began)
            return None

    def _note(self, dispatch: Dispatch, reason: str = "", lost_s: float = 0.0) -> None:
        # Calls to one back end may be made by several threads.
        with self._lock:
            self._lost_s[dispatch.executor, dispatch.region] += lost_s
            self._in_vain[dispatch.executor].add(dispatch.key)
            self._reasons.setdefault(dispatch.executor, reason)

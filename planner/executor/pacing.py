"""No burst after an outage: late runs wait until their region has power for them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from planner.executor.ledger import Ledger
from planner.executor.records import Dispatch
from planner.executor.rules import is_foreseen
from planner.executor.states import State

_LIVE = (
    "select key, region, power_kw, state, coalesce(started_us, intent_us), "
    "end_us - start_us from dispatches "
    "where state in ('intent', 'sent', 'running', 'unknown')"
)
_TO_COME = (
    "select region, power_kw, due_us, end_us - start_us from dispatches "
    "where state = 'planned' and due_us > ? and due_us < ? and due_us = start_us"
)


class Load:
    """Power in use in one region from now on: constant between instants. [kW]"""

    def __init__(self) -> None:
        self._at: npt.NDArray[np.float64] = np.array([-math.inf, math.inf])
        self._kw: npt.NDArray[np.float64] = np.zeros(1)

    def add(self, start_us: float, end_us: float, power_kw: float) -> None:
        """Count one run; half-open."""
        first, last = self._cut(start_us), self._cut(end_us)
        self._kw[first:last] += power_kw

    def highest(self, start_us: float, end_us: float) -> float:
        """Most power in use at any instant of a span."""
        first = int(np.searchsorted(self._at, start_us, side="right")) - 1
        last = int(np.searchsorted(self._at, end_us, side="left"))
        return float(self._kw[first:last].max(initial=0.0))

    def _cut(self, at_us: float) -> int:
        """Number of the stretch that begins at an instant, made if need be."""
        place = int(np.searchsorted(self._at, at_us))
        if at_us == math.inf:
            return len(self._kw)
        if self._at[place] != at_us:
            self._at = np.insert(self._at, place, at_us)
            self._kw = np.insert(self._kw, place, self._kw[place - 1])
        return place


class Pacing:
    """Power per region, now and as planned, against the most that plans foresaw.

    Runs at their planned time are never held back: the plan made room for them. A
    late run or a further attempt has to fit beside all that runs and all that is
    still to come while it would run. What runs longer than planned is taken to go
    on; what is unknown is taken to run for its planned time.

    Parameters
    ----------
    ledger
        Read once, when it is made.
    at_us
        Now. [µs]
    longest_us
        Longest run that will be asked about; what comes later is left out. [µs]
    leave_out
        Keys that are about to be sent again, which are not in use yet.
    """

    def __init__(
        self,
        ledger: Ledger,
        at_us: int,
        *,
        longest_us: int,
        leave_out: frozenset[str] = frozenset(),
    ) -> None:
        self._at_us = at_us
        self._loads: dict[str, Load] = {}
        for key, region, power_kw, state, begin_us, length_us in ledger.query(_LIVE):
            end_us = (at_us if begin_us is None else begin_us) + length_us
            if end_us <= at_us and state != State.UNKNOWN:
                end_us = math.inf
            if key not in leave_out and end_us > at_us:
                self._load(region).add(at_us, end_us, power_kw)
        for region, power_kw, due_us, length_us in ledger.query(
            _TO_COME, at_us, at_us + longest_us
        ):
            self._load(region).add(due_us, due_us + length_us, power_kw)
        self._peaks_kw: dict[tuple[str, str], float] = {
            (plan_id, region): peak_kw
            for plan_id, region, peak_kw in ledger.query(
                "select plan_id, region, peak_kw from region_power"
            )
        }

    def may_start(self, dispatch: Dispatch) -> bool:
        """Whether a due run may start now."""
        if is_foreseen(dispatch, self._at_us):
            return True
        peak_kw = self._peaks_kw.get((dispatch.plan_id, dispatch.region), 0.0)
        used_kw = self._load(dispatch.region).highest(
            self._at_us, self._at_us + dispatch.duration_us
        )
        # The sum of many powers carries rounding; an idle region takes any one job.
        return used_kw == 0 or used_kw + dispatch.power_kw <= peak_kw * (1 + 1e-9)

    def reserve(self, dispatch: Dispatch) -> None:
        """Keep room for a due run if it is where the plan wants it."""
        if is_foreseen(dispatch, self._at_us):
            self._count(dispatch)

    def take(self, dispatch: Dispatch) -> None:
        """Count a run that is being sent, unless room was kept for it."""
        if not is_foreseen(dispatch, self._at_us):
            self._count(dispatch)

    def _count(self, dispatch: Dispatch) -> None:
        end_us = self._at_us + dispatch.duration_us
        self._load(dispatch.region).add(self._at_us, end_us, dispatch.power_kw)

    def _load(self, region: str) -> Load:
        return self._loads.setdefault(region, Load())

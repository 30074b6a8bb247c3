"""Whether the clock can be believed."""

from __future__ import annotations

from datetime import datetime, timedelta

from outputs.plan import PlanMeta
from planner.executor.errors import ClockError
from planner.executor.instants import from_us
from planner.executor.ledger import Ledger

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the planner's and the executor's clocks may differ."""


def checked_skew(meta: PlanMeta | None, ledger: Ledger, now: datetime) -> timedelta:
    """How far the clock stands before the newest plan was made, if it is believable.

    The ledger keeps both instants of every plan, when it was made and when it was
    first followed.

    Raises
    ------
    ClockError
        If it stands further before that than ``CLOCK_TOLERANCE``.
    """
    newest_us = ledger.query("select max(created_us) from plans")[0][0]
    made = [from_us(newest_us)] if newest_us is not None else []
    made += [meta.created_at] if meta is not None else []
    skew = max([timedelta(0), *(instant - now for instant in made)])
    if skew > CLOCK_TOLERANCE:
        raise ClockError(
            f"the clock says {now:%Y-%m-%dT%H:%M:%SZ}, but the plan was made at "
            f"{max(made):%Y-%m-%dT%H:%M:%SZ}; nothing is sent until the clock is right"
        )
    return skew

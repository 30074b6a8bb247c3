"""Being the one executor at work on a ledger."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import datetime

from planner.executor.instants import to_us
from planner.executor.ledger import Ledger
from planner.executor.marker import mark
from planner.executor.steady import Steady


@contextlib.contextmanager
def leased(
    ledger: Ledger, *, holder: str, now: datetime, steady: Steady | None = None
) -> Iterator[bool]:
    """Be the one executor at work on a ledger while the block lasts.

    A lock keeps others out as long as this process, or its connection, lives; the
    lease number, which only grows, keeps this one out once the lock was lost.

    Yields
    ------
    bool
        False if another one is at work: nothing may be done then.
    """
    folder = ledger.store.marker_folder
    with ledger.store.exclusive() as held:
        if held and folder is not None:
            number = ledger.take_lease(holder=holder, at_us=to_us(now), steady=steady)
            mark(folder, site=ledger.site, lease=number)
        yield held

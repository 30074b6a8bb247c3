"""Looking into a workspace's ledger without changing it."""

from __future__ import annotations

from datetime import datetime

from planner.executor.backends.registry import Place
from planner.executor.history import Step, steps
from planner.executor.ledger_place import open_ledger_at
from planner.executor.verification import Verified, examine


def verify_ledger(place: Place, *, now: datetime) -> tuple[str, Verified]:
    """Where the ledger is, and all that is wrong with it.

    Raises
    ------
    LedgerError
        If it cannot even be opened: then that is what is wrong.
    """
    folder = place.outputs / "ledger"
    with open_ledger_at(folder, url=place.ledger, now=now, rehearsal=True) as ledger:
        return ledger.name, examine(ledger)


def ledger_history(
    place: Place, *, now: datetime, day: str | None, job: str | None, last: int
) -> tuple[Step, ...]:
    """The newest steps of a ledger, the oldest of them first."""
    folder = place.outputs / "ledger"
    with open_ledger_at(folder, url=place.ledger, now=now, rehearsal=True) as ledger:
        return steps(ledger, day=day, job=job, last=last)

"""By how much a host's time of day was set while its runs were at work.

Time limits are about time that passed. Between runs of the executor only the ledger
remembers, so each run notes both clocks; where they went apart, the one that people
and time servers set was set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from planner.executor.instants import span_us

if TYPE_CHECKING:
    from planner.executor.ledger import Ledger

JUMP = timedelta(seconds=10)
"""Time servers nudge a clock by less all the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Steady:
    """Time that nobody sets.

    Parameters
    ----------
    boot
        Identity of the boot of the machine in which it counts.
    at_us
        How long the machine was awake since. [µs]
    """

    boot: str
    at_us: int


def note_clocks(
    ledger: Ledger, *, host: str, at_us: int, steady: Steady | None
) -> None:
    """Note that a host is at work, and what its clocks say; in the open transaction.

    Parameters
    ----------
    at_us
        The time of day. [µs since 1970 UTC]
    steady
        None if it is not known, or the time of day is only assumed.
    """
    ledger.execute(
        "insert into hosts (name, seen_us) values (?, ?) "
        "on conflict (name) do update set seen_us = excluded.seen_us",
        host,
        at_us,
    )
    if steady is None:
        return
    ((boot, steady_us, noted_us),) = ledger.query(
        "select boot, steady_us, noted_us from hosts where name = ?", host
    )
    if boot == steady.boot:
        by_us = (at_us - noted_us) - (steady.at_us - steady_us)
        if abs(by_us) >= span_us(JUMP):
            ledger.execute(
                "insert into clock_jumps (host, at_us, by_us) values (?, ?, ?)",
                *(host, at_us, by_us),
            )
    ledger.execute(
        "update hosts set boot = ?, steady_us = ?, noted_us = ? where name = ?",
        *(steady.boot, steady.at_us, at_us, host),
    )


def passed_since(ledger: Ledger, *, host: str, now_us: int) -> Callable[[int], int]:
    """How much time has passed since an instant, whatever was set since. [µs]"""
    jumps = ledger.query("select at_us, by_us from clock_jumps where host = ?", host)

    def passed(since_us: int) -> int:
        ahead_us: int = sum(by_us for at_us, by_us in jumps if at_us > since_us)
        return now_us - since_us - ahead_us

    return passed

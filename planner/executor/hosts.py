"""Hosts that share a ledger, and runs that one of them alone can tell of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from planner.executor.actors import host_of
from planner.executor.instants import from_us, span_us, to_us
from planner.executor.ledger import Ledger
from planner.executor.records import Dispatch
from planner.executor.states import LIVE

HOST_BOUND = frozenset({"shell"})
"""Back ends that know the processes of their own host only."""

SILENT = timedelta(minutes=10)
"""A host that was not at work for so long may be gone: cron comes each minute."""

_NAMES = ", ".join(f"'{name}'" for name in sorted(HOST_BOUND))
_LIVE = ", ".join(f"'{state}'" for state in sorted(LIVE))


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentHost:
    """A host that has runs to tell of and was not at work for a while.

    Parameters
    ----------
    seen_at
        When it was last at work; None if that was never noted.
    jobs
        Whose runs they are, in order.
    dates
        Planned dates of them, in order.
    """

    host: str
    seen_at: datetime | None
    jobs: tuple[str, ...]
    dates: tuple[str, ...]


def sender_of(ledger: Ledger, key: str) -> str | None:
    """Host that sent a key last, None if none did."""
    found = ledger.query(
        "select actor from transitions where key = ? and after_state = 'intent' "
        "order by sequence desc limit 1",
        key,
    )
    return host_of(found[0][0]) if found else None


def teller_of(ledger: Ledger, dispatch: Dispatch) -> str | None:
    """Host that alone can tell of a run, None where any can."""
    bound = ledger.store.shared and dispatch.executor in HOST_BOUND
    return sender_of(ledger, dispatch.key) if bound else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundRun:
    """An open run, and the host that alone can tell of it."""

    key: str
    job_id: str
    date: str
    host: str


def bound_runs(ledger: Ledger) -> list[BoundRun]:
    """Open runs that one host alone can tell of; none if no other host is known."""
    if not ledger.store.shared:
        return []
    rows = ledger.query(
        "select d.key, d.job_id, d.date, t.actor from dispatches d "
        "join transitions t on t.key = d.key "
        f"where d.state in ({_LIVE}) and d.executor in ({_NAMES}) "
        "and t.after_state = 'intent' order by t.sequence"
    )
    runs = {
        key: BoundRun(key=key, job_id=job_id, date=day, host=host_of(actor))
        for key, job_id, day, actor in rows
    }
    return [*runs.values()]


def silent_hosts(ledger: Ledger, *, now: datetime) -> tuple[SilentHost, ...]:
    """Hosts that may be gone though runs of theirs are open, by name."""
    runs = bound_runs(ledger)
    seen = dict(ledger.query("select name, seen_us from hosts")) if runs else {}
    return tuple(
        SilentHost(
            host=host,
            seen_at=from_us(seen[host]) if host in seen else None,
            jobs=tuple(sorted({run.job_id for run in runs if run.host == host})),
            dates=tuple(sorted({run.date for run in runs if run.host == host})),
        )
        for host in sorted({run.host for run in runs})
        if to_us(now) - seen.get(host, 0) > span_us(SILENT)
    )

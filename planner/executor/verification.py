"""Whether a ledger agrees with itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from planner.executor.errors import LedgerError
from planner.executor.keys import dispatch_key
from planner.executor.ledger import Ledger
from planner.executor.marker import compare_with_marker
from planner.executor.specs import digest_of
from planner.executor.states import State, allowed

Step = tuple[str, int, str | None, str]
"""Key, lease, state before and after."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """What a check of a whole ledger found.

    Parameters
    ----------
    problems
        Everything that cannot be, one sentence each.
    plans, dispatches, transitions
        How many were looked at.
    states
        Number of dispatches in each state that any has.
    """

    problems: tuple[str, ...]
    plans: int
    dispatches: int
    transitions: int
    states: dict[str, int]


def verify(ledger: Ledger) -> tuple[str, ...]:
    """Everything in a ledger that cannot be, one sentence each.

    Checks what the database can find itself, this host's marker, that every key
    follows from its row and none is there twice, that every spec is the one that its
    digest names, that every history begins once, takes allowed steps only, follows
    plans that are known, and ends in the state that the dispatch has, that a further
    attempt follows one that ended without success, that what was sent had its intent
    stored before, and that no lease number ever falls or is newer than the lease.
    """
    checks = (_store, _marker, _keys, _attempts, _specs, _histories, _references)
    return tuple(problem for check in checks for problem in _explained(check(ledger)))


def examine(ledger: Ledger) -> Verified:
    """All checks of ``verify``, with what they looked at."""

    def count(table: str) -> int:
        number: int = ledger.query(f"select count(*) from {table}")[0][0]
        return number

    problems = verify(ledger)
    states = ledger.query("select state, count(*) from dispatches group by state")
    return Verified(
        problems=problems,
        plans=count("plans"),
        dispatches=count("dispatches"),
        transitions=count("transitions"),
        states=dict(sorted((state, number) for state, number in states)),
    )


def _explained(problems: Iterable[str]) -> Iterator[str]:
    """Problems as they are found; what cannot even be read is one more."""
    try:
        yield from problems
    except LedgerError as error:
        yield str(error)


def _store(ledger: Ledger) -> Iterator[str]:
    yield from ledger.store.problems()


def _marker(ledger: Ledger) -> Iterator[str]:
    folder = ledger.store.marker_folder
    if folder is not None:
        compare_with_marker(ledger, folder, note=False)
    leases = ledger.query("select number from lease")
    if len(leases) != 1:
        yield f"there are {len(leases)} leases, not one"
    newest = ledger.query("select max(lease) from transitions")[0][0] or 0
    if leases and newest > leases[0][0]:
        yield f"lease {newest} wrote, but the newest lease is {leases[0][0]}"


def _keys(ledger: Ledger) -> Iterator[str]:
    seen = set[str]()
    rows = ledger.store.stream(
        "select key, date, job_id, segment, attempt from dispatches"
    )
    for key, day, job_id, segment, attempt in rows:
        row = f"{job_id}, segment {segment}, attempt {attempt}"
        if key in seen:
            yield f"{key} is there twice"
        seen.add(key)
        if key != _key_of(ledger.site, day, job_id, segment, attempt):
            yield f"{key} is not the key of {row}"


def _key_of(site: str, day: str, job_id: str, segment: int, attempt: int) -> str | None:
    try:
        when = date.fromisoformat(day)
    except ValueError:
        return None
    return dispatch_key(
        site=site, day=when, job_id=job_id, segment=segment, attempt=attempt
    )


def _attempts(ledger: Ledger) -> Iterator[str]:
    rows = ledger.store.stream(
        "select d.key, p.state from dispatches d left join dispatches p on "
        "p.date = d.date and p.job_id = d.job_id and p.segment = d.segment "
        "and p.attempt = d.attempt - 1 "
        "where d.attempt > 1 "
        "and coalesce(p.state, '') not in ('failed', 'missed', 'cancelled')"
    )
    for key, before in rows:
        found = before or "not there"
        yield f"{key} is a further attempt, but the one before is {found}"


def _specs(ledger: Ledger) -> Iterator[str]:
    for digest, spec in ledger.store.stream("select digest, spec from specs"):
        if digest_of(spec) != digest:
            yield f"spec {digest} was changed"


def _histories(ledger: Ledger) -> Iterator[str]:
    ends = dict[str, str]()
    leases = dict[str, int]()
    steps = ledger.store.stream(
        "select key, lease, before_state, after_state from transitions "
        "order by key, sequence"
    )
    for step in steps:
        yield from _step(step, ends, leases)
    rows = ledger.store.stream("select key, state, intent_us is null from dispatches")
    for key, state, never_sent in rows:
        if ends.get(key) != state:
            yield f"{key} is {state}, but its history ends {ends.get(key)}"
        if never_sent and state in ("intent", "sent", "running", "done", "unknown"):
            yield f"{key} is {state}, but no intent to send it was stored"


def _step(step: Step, ends: dict[str, str], leases: dict[str, int]) -> Iterator[str]:
    key, lease, before, after = step
    if before != ends.get(key):
        yield f"{key}: {before} does not follow {ends.get(key)}"
    words = {state for state in (before, after) if state is not None}
    if not words <= {*State}:
        yield f"{key}: {before} to {after} are not states"
    elif before is not None and not allowed(State(before), State(after)):
        yield f"{key}: {before} to {after} is not allowed"
    if 0 < lease < leases.get(key, 0):
        yield f"{key}: lease {lease} wrote after {leases[key]}"
    ends[key], leases[key] = after, max(lease, leases.get(key, 0))


def _references(ledger: Ledger) -> Iterator[str]:
    for table, column, parent, name in (
        ("transitions", "key", "dispatches", "key"),
        ("transitions", "plan_id", "plans", "plan_id"),
        ("dispatches", "plan_id", "plans", "plan_id"),
        ("dispatches", "spec_digest", "specs", "digest"),
    ):
        lost = ledger.query(
            f"select distinct {column} from {table} where {column} not in "
            f"(select {name} from {parent})"
        )
        for (value,) in lost:
            yield f"{table} name {column} {value}, which {parent} do not hold"

"""Whether a ledger agrees with itself."""

from __future__ import annotations

from datetime import date

from planner.executor.keys import dispatch_key
from planner.executor.ledger import Ledger
from planner.executor.specs import digest_of
from planner.executor.states import State, allowed


def verify(ledger: Ledger) -> tuple[str, ...]:
    """Everything in a ledger that cannot be, one sentence each.

    Checks the file, that every key follows from its row, that every spec is the
    one that its digest names, that every history begins once, takes allowed steps
    only, and ends in the state that the dispatch has, and that no lease number
    ever falls.
    """
    return (*_file(ledger), *_keys(ledger), *_specs(ledger), *_histories(ledger))


def _file(ledger: Ledger) -> list[str]:
    return ledger.store.problems()


def _keys(ledger: Ledger) -> list[str]:
    rows = ledger.query("select key, date, job_id, segment, attempt from dispatches")
    return [
        f"{key} is not the key of {job_id}, segment {segment}, attempt {attempt}"
        for key, day, job_id, segment, attempt in rows
        if key
        != dispatch_key(
            site=ledger.site,
            day=date.fromisoformat(day),
            job_id=job_id,
            segment=segment,
            attempt=attempt,
        )
    ]


def _specs(ledger: Ledger) -> list[str]:
    rows = ledger.query("select digest, spec from specs")
    return [
        f"spec {digest} was changed" for digest, s in rows if digest_of(s) != digest
    ]


def _histories(ledger: Ledger) -> list[str]:
    steps = ledger.query(
        "select key, lease, before_state, after_state from transitions "
        "order by key, sequence"
    )
    problems, ends = [], dict[str, str]()
    leases = dict[str, int]()
    for key, lease, before, after in steps:
        if before != ends.get(key):
            problems.append(f"{key}: {before} does not follow {ends.get(key)}")
        if before is not None and not allowed(State(before), State(after)):
            problems.append(f"{key}: {before} to {after} is not allowed")
        if 0 < lease < leases.get(key, 0):
            problems.append(f"{key}: lease {lease} wrote after {leases[key]}")
        ends[key], leases[key] = after, max(lease, leases.get(key, 0))
    for key, state in ledger.query("select key, state from dispatches"):
        if ends.get(key) != state:
            problems.append(f"{key} is {state}, but its history ends {ends.get(key)}")
    return problems

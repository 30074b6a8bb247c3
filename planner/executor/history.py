"""The ledger's steps, for people and for other programs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from planner.executor.instants import from_us
from planner.executor.ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One transition of one dispatch.

    Parameters
    ----------
    lease
        Number under which it was written, 0 for none.
    plan_id, plan_digest
        The plan by which it was done.
    before
        None when the dispatch was entered.
    """

    sequence: int
    at: datetime
    key: str
    date: str
    job_id: str
    segment: int
    attempt: int
    actor: str
    lease: int
    plan_id: str
    plan_digest: str
    before: str | None
    after: str
    detail: str | None


def newest_step(ledger: Ledger) -> int:
    """Number of the newest step, 0 if there is none."""
    found = ledger.query("select coalesce(max(sequence), 0) from transitions")
    return int(found[0][0])


def steps(
    ledger: Ledger, *, day: str | None, job: str | None, last: int
) -> tuple[Step, ...]:
    """The newest steps, the oldest of them first.

    Parameters
    ----------
    day
        Only of this planned date.
    job
        Only of this job.
    last
        At most so many.
    """
    asked = {"date": day, "job_id": job}
    wanted = {column: value for column, value in asked.items() if value is not None}
    where = " and ".join(f"{column} = ?" for column in wanted) or "1 = 1"
    rows = ledger.query(
        "select sequence, at_us, key, date, job_id, segment, attempt, actor, lease, "
        "plan_id, plan_digest, before_state, after_state, detail from history "
        f"where {where} order by sequence desc limit ?",
        *wanted.values(),
        last,
    )
    return tuple(_step(*row) for row in reversed(rows))


def _step(sequence: int, at_us: int, *facts: object) -> Step:
    names = list(Step.__dataclass_fields__)[2:]
    values = dict(zip(names, facts, strict=True))
    return Step(sequence=sequence, at=from_us(at_us), **values)  # type: ignore[arg-type]

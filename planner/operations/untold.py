"""Troubles that a ledger holds and an executor did not live to tell.

An executor that is killed after it stored a step and before it told of it leaves no
other trace of that: so the ledger's steps themselves say what is still to be told.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from planner.executor.actors import host_of
from planner.executor.instants import from_us, to_us
from planner.executor.journal import Event
from planner.executor.states import State
from planner.operations.incidents import Incident, of_event

if TYPE_CHECKING:
    from planner.executing import Steps
    from planner.executor.ledger import Ledger

FIRST = timedelta(hours=1)
"""Where nothing was ever told, troubles of so long before are."""

_QUERY = """
select t.at_us, t.plan_id, t.actor,
    t.key, d.job_id, d.segment, d.attempt, d.region, t.after_state, t.detail
from transitions t join dispatches d on d.key = t.key
where t.sequence > ? and t.sequence <= ? and t.at_us > ?
    and t.after_state in ('failed', 'missed', 'unknown', 'cancelled')
    and not exists (
        select 1 from transitions l
        where l.key = t.key and l.sequence > t.sequence and l.sequence <= ?
    )
order by t.sequence
"""


def untold(
    ledger: Ledger, steps: Steps, *, told: int | None, now: datetime
) -> Iterator[Incident]:
    """What was stored before a run and not told, where each dispatch stood then.

    In a ledger of several hosts each tells of its own steps.

    Parameters
    ----------
    steps
        Those of the run.
    told
        The last step that was told, None if none ever was.
    """
    since_us = to_us(now - FIRST) if told is None else 0
    rows = ledger.query(_QUERY, told or 0, steps.before, since_us, steps.before)
    for at_us, plan_id, actor, *facts in rows:
        if ledger.store.shared and host_of(actor) != host_of(steps.actor):
            continue
        key, job_id, segment, attempt, region, state, detail = facts
        event = Event(
            key=key,
            job_id=job_id,
            segment=segment,
            attempt=attempt,
            region=region,
            state=State(state),
            detail=detail,
        )
        yield of_event(event, at=from_us(at_us), plan_id=plan_id)

"""Further attempts at a segment, each under a key of its own."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from planner.executor.journal import Journal
from planner.executor.keys import dispatch_key
from planner.executor.records import Dispatch
from planner.executor.rules import retry_due_us
from planner.executor.states import State

MOST = 999
"""A key has room for three digits."""


def plan_retry(journal: Journal, failed: Dispatch) -> None:
    """Enter a further attempt, if the job allows one and its deadline another run."""
    due_us = retry_due_us(failed, journal.at_us)
    if due_us is not None:
        add_attempt(journal, failed, due_us=due_us, detail=f"retry of {failed.key}")


def add_attempt(
    journal: Journal, before: Dispatch, *, due_us: int, detail: str
) -> Dispatch:
    """Enter the attempt that follows another one of the same segment."""
    attempt = before.attempt + 1
    key = dispatch_key(
        site=journal.ledger.site,
        day=date.fromisoformat(before.date),
        job_id=before.job_id,
        segment=before.segment,
        attempt=attempt,
    )
    again = replace(
        before,
        key=key,
        attempt=attempt,
        due_us=due_us,
        state=State.PLANNED,
        changed_us=journal.at_us,
        intent_us=None,
        handle=None,
        started_us=None,
        ended_us=None,
        exit_code=None,
        reason=None,
    )
    journal.ledger.add(again, actor=journal.actor, detail=detail)
    return again

"""Whether a dispatch that is due may still be sent, and when it is tried again."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256

from planner.executor.instants import from_us, span_us
from planner.executor.records import Dispatch

GRACE_US = span_us(timedelta(minutes=2))
"""A start this late is a punctual one: cron comes once a minute and may skip a beat."""

BACKOFF_US = span_us(timedelta(minutes=1))
LONGEST_BACKOFF_US = span_us(timedelta(hours=1))


def is_late(dispatch: Dispatch, now_us: int) -> bool:
    """Whether its start has passed by more than the grace."""
    return now_us > dispatch.due_us + GRACE_US


def is_foreseen(dispatch: Dispatch, now_us: int) -> bool:
    """Whether a start now is the one that the plan made room for."""
    return dispatch.due_us == dispatch.start_us and not is_late(dispatch, now_us)


def why_missed(dispatch: Dispatch, now_us: int) -> str | None:
    """Why a due dispatch must not be sent any more; None if it may.

    A punctual start is always sent. A late one only if the job's rule is ``run``
    and its running time still fits before its deadline.
    """
    if not is_late(dispatch, now_us):
        return None
    planned = f"planned for {from_us(dispatch.due_us):%Y-%m-%dT%H:%M:%SZ}"
    if dispatch.on_missed == "skip":
        return f"{planned}; its rule is to skip a missed start"
    if now_us + dispatch.duration_us > dispatch.deadline_us:
        return (
            f"{planned}; a late run would end after its deadline "
            f"{from_us(dispatch.deadline_us):%Y-%m-%dT%H:%M:%SZ}"
        )
    return None


def retry_due_us(dispatch: Dispatch, now_us: int) -> int | None:
    """When a failed dispatch is tried again; None if it is not.

    Waits up to twice as long after each attempt, at most one minute after the first
    and never more than an hour. Jobs that fail together come back apart: each waits
    for between half of that and all of it, as its key decides.
    """
    if dispatch.attempt > dispatch.retries:
        return None
    # Beyond a hundred attempts the shift alone would be astronomic.
    longest_us = min(BACKOFF_US << min(dispatch.attempt - 1, 10), LONGEST_BACKOFF_US)
    due_us = now_us + longest_us // 2 + int(_chance(dispatch.key) * longest_us / 2)
    return due_us if due_us + dispatch.duration_us <= dispatch.deadline_us else None


def _chance(key: str) -> float:
    """Number between 0 and 1 that looks random and is the same for the same key."""
    return int.from_bytes(sha256(key.encode()).digest()[:4]) / 2**32

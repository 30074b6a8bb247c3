"""Rows of the ledger as values."""

from __future__ import annotations

from dataclasses import dataclass

from planner.executor.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatch:
    """One row of the ledger: one attempt at one segment of a plan.

    Instants are microseconds since 1970 UTC.

    Parameters
    ----------
    start_us, end_us
        As planned.
    due_us
        When it may be sent: the planned start, later for a retry.
    deadline_us
        When it must have ended.
    intent_us
        When it was last about to be sent, None if never.
    handle
        The back end's own name for it, None until the back end has answered.
    started_us, ended_us, exit_code, reason
        What really happened, as far as known.
    """

    key: str
    date: str
    job_id: str
    segment: int
    attempt: int
    plan_id: str
    region: str
    executor: str
    replicas: int
    power_kw: float
    start_us: int
    end_us: int
    due_us: int
    deadline_us: int
    on_missed: str
    retries: int
    spec_digest: str
    state: State
    changed_us: int
    intent_us: int | None = None
    handle: str | None = None
    started_us: int | None = None
    ended_us: int | None = None
    exit_code: int | None = None
    reason: str | None = None

    @property
    def duration_us(self) -> int:
        """Running time. [µs]"""
        return self.end_us - self.start_us


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowedPlan:
    """A plan that was followed before."""

    plan_id: str
    serial: int
    created_us: int

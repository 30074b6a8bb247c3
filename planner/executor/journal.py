"""What one run of the executor does, recorded as it happens."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from planner.executor.ledger import Ledger
from planner.executor.records import Dispatch
from planner.executor.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened to a dispatch, for people and for ``--json``."""

    key: str
    job_id: str
    segment: int
    attempt: int
    region: str
    state: State
    detail: str | None


@dataclass(slots=True, kw_only=True)
class Journal:
    """Moves dispatches in the ledger, all at one instant and by one actor.

    Parameters
    ----------
    at_us
        The instant of this run. [µs since 1970 UTC]
    actor
        Who acts, as the ledger shows it.
    events
        Where every dispatch that was touched stands at last, by key.
    """

    ledger: Ledger
    at_us: int
    actor: str
    events: dict[str, Event] = field(default_factory=dict)

    def move(
        self, dispatch: Dispatch, state: State, detail: str | None = None, **facts: Any
    ) -> Dispatch:
        """Record a step; see ``Ledger.move``."""
        after = self.ledger.move(
            dispatch,
            state,
            at_us=self.at_us,
            actor=self.actor,
            detail=detail,
            **facts,
        )
        self.events[after.key] = Event(
            key=after.key,
            job_id=after.job_id,
            segment=after.segment,
            attempt=after.attempt,
            region=after.region,
            state=after.state,
            detail=detail,
        )
        return after

"""What the ledger says of one date: every attempt at every segment."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from enum import IntEnum
from typing import Any

from planner.executor.ledger import Ledger
from planner.executor.states import State

CLOCK_SKEW_US = 5 * 60 * 1_000_000
"""How far the clock of a back end may be from that of the executor. [µs]"""

SETTLED_STATES = frozenset(
    {
        State.DONE,
        State.FAILED,
        State.CANCELLED,
        State.MISSED,
        State.BLOCKED,
        State.WITHDRAWN,
    }
)
"""States after which nothing more happens to an attempt."""


class Times(IntEnum):
    """Who says when a run began and ended, best first."""

    REPORTED = 0
    """The back end."""
    EXECUTOR = 1
    """The executor says when it began, the back end how long it took: its clock
    contradicts the executor's."""
    ASSUMED = 2
    """It took as long as planned, from when it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt, as the ledger has it.

    Parameters
    ----------
    energy_kwh, energy_label, energy_source
        What was told of its energy; None if nothing was.
    energy_at_plug
        Whether that energy has the PUE in it already.
    units
        Functional units that the run itself counted, None if it did not.
    """

    key: str
    job_id: str
    segment: int
    attempt: int
    plan_id: str
    region: str
    state: State
    start_us: int
    end_us: int
    power_kw: float
    changed_us: int
    intent_us: int | None
    started_us: int | None
    ended_us: int | None
    exit_code: int | None
    reason: str | None
    spec_digest: str
    energy_kwh: float | None = None
    energy_label: str | None = None
    energy_source: str | None = None
    energy_at_plug: bool = False
    units: float | None = None

    @property
    def ran(self) -> bool:
        """Whether it is known to have begun."""
        return self.started_us is not None or self.state is State.DONE

    @property
    def planned_us(self) -> int:
        """Planned running time. [µs]"""
        return self.end_us - self.start_us

    def times(self) -> tuple[int, int, Times]:
        """When it ran, and who says so. [µs since 1970 UTC]

        A run cannot begin before it was sent, nor end after its end was seen. Where
        a back end says so all the same, its clock is wrong, but what it says of the
        length is not.
        """
        sent = self.start_us if self.intent_us is None else self.intent_us
        if self.started_us is None or self.ended_us is None:
            begin = sent if self.started_us is None else max(self.started_us, sent)
            end = begin + self.planned_us
            if self.state in SETTLED_STATES:
                end = max(begin, min(end, self.changed_us))
            return begin, end, Times.ASSUMED
        length = max(self.ended_us - self.started_us, 0)
        early = self.started_us < sent - CLOCK_SKEW_US
        late = self.ended_us > self.changed_us + CLOCK_SKEW_US
        if early or late:
            return sent, sent + length, Times.EXECUTOR
        begin = max(self.started_us, sent)
        return begin, max(self.ended_us, begin), Times.REPORTED


def attempts_of(ledger: Ledger, date: str) -> list[Attempt]:
    """Every attempt of a date, by job, segment and number."""
    rows = ledger.query(
        f"select {_COLUMNS} from dispatches d left join energies e on e.key = d.key "
        "where d.date = ? order by d.job_id, d.segment, d.attempt",
        date,
    )
    return [_attempt(row) for row in rows]


def earlier_attempts(ledger: Ledger, date: str, *, since_us: int) -> list[Attempt]:
    """Attempts of earlier dates that ran on beyond an instant; they go first."""
    rows = ledger.query(
        f"select {_COLUMNS} from dispatches d left join energies e on e.key = d.key "
        "where d.date < ? and d.started_us is not null "
        "and coalesce(d.ended_us, d.end_us) > ? order by d.key",
        date,
        since_us,
    )
    return [_attempt(row) for row in rows]


def digest_of(attempts: Iterable[Attempt]) -> str:
    """SHA-256 of what was taken from the ledger; equal for equal content."""
    digest = hashlib.sha256()
    for attempt in attempts:
        digest.update(json.dumps(astuple(attempt)).encode() + b"\n")
    return digest.hexdigest()


_FROM_ENERGIES = {
    "energy_kwh": "e.kwh",
    "energy_label": "e.label",
    "energy_source": "e.source",
    "energy_at_plug": "e.at_plug",
    "units": "e.units",
}
_COLUMNS = ", ".join(
    _FROM_ENERGIES.get(field.name, f"d.{field.name}") for field in fields(Attempt)
)


def _attempt(row: tuple[Any, ...]) -> Attempt:
    facts = dict(zip((field.name for field in fields(Attempt)), row, strict=True))
    facts["state"] = State(facts["state"])
    facts["energy_at_plug"] = bool(facts["energy_at_plug"])
    return Attempt(**facts)

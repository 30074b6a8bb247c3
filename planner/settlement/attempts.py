"""What the ledger says of one date: every attempt at every segment, as columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from planner.executor.ledger import Ledger
from planner.executor.states import State
from solvers.problem import BoolArray, FloatArray, Int64Array

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

_TEXT, _WHOLE, _NUMBER = pa.string(), pa.int64(), pa.float64()

ATTEMPT_SCHEMA = pa.schema(
    {
        "key": _TEXT,
        "job_id": _TEXT,
        "segment": _WHOLE,
        "attempt": _WHOLE,
        "plan_id": _TEXT,
        "region": _TEXT,
        "state": _TEXT,
        "start_us": _WHOLE,
        "end_us": _WHOLE,
        "power_kw": _NUMBER,
        "changed_us": _WHOLE,
        "intent_us": _WHOLE,
        "started_us": _WHOLE,
        "ended_us": _WHOLE,
        "exit_code": _WHOLE,
        "reason": _TEXT,
        "spec_digest": _TEXT,
        "energy_kwh": _NUMBER,
        "energy_label": _TEXT,
        "energy_source": _TEXT,
        "energy_at_plug": pa.bool_(),
        "units": _NUMBER,
    }
)
"""Columns of attempts. Instants in µs since 1970 UTC; null where nothing is known. The
energy is as it was told, ``energy_at_plug`` says whether the PUE is in it already;
``units`` are those that the run itself counted."""

_FROM_ENERGIES = {
    "energy_kwh": "e.kwh",
    "energy_label": "e.label",
    "energy_source": "e.source",
    "energy_at_plug": "e.at_plug",
    "units": "e.units",
}
_SELECT = ", ".join(
    _FROM_ENERGIES.get(name, f"d.{name}") for name in ATTEMPT_SCHEMA.names
)
_QUERY = (
    f"select {_SELECT} from dispatches d left join energies e on e.key = d.key where "
)


class Times(IntEnum):
    """Who says when a run began and ended, best first."""

    REPORTED = 0
    """The back end."""
    EXECUTOR = 1
    """The executor says when it began, the back end how long it took: its clock
    contradicts the executor's."""
    ASSUMED = 2
    """It took as long as planned, from when it was sent."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunTimes:
    """When attempts ran, and who says so; shape (n_attempts,) all.

    Parameters
    ----------
    start_us, end_us
        µs since 1970 UTC.
    told_by
        Values of ``Times``.
    """

    start_us: Int64Array
    end_us: Int64Array
    told_by: npt.NDArray[np.int8]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Attempts:
    """Attempts, as the ledger has them.

    Parameters
    ----------
    rows
        Columns of ``ATTEMPT_SCHEMA``, by job, segment and number.
    """

    rows: pa.Table

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def among(self, kept: BoolArray) -> Attempts:
        """Some of them."""
        return Attempts(rows=self.rows.filter(pa.array(kept)))

    def whole(self, name: str) -> Int64Array:
        """A column of whole numbers, 0 where there is none."""
        return self.rows[name].fill_null(0).to_numpy()  # type: ignore[no-any-return]

    def number(self, name: str) -> FloatArray:
        """A column of numbers, NaN where there is none."""
        return self.rows[name].fill_null(np.nan).to_numpy()  # type: ignore[no-any-return]

    def has(self, name: str) -> BoolArray:
        """Whether something is known."""
        return self.rows[name].is_valid().to_numpy()  # type: ignore[no-any-return]

    def is_in(self, states: Iterable[State]) -> BoolArray:
        """Whether they stand in one of some states."""
        wanted = pa.array([state.value for state in states], _TEXT)
        found = pc.is_in(self.rows["state"], value_set=wanted)
        return found.to_numpy()  # type: ignore[no-any-return]

    @property
    def ran(self) -> BoolArray:
        """Whether they are known to have begun."""
        return self.has("started_us") | self.is_in([State.DONE])

    def times(self) -> RunTimes:
        """When they ran, and who says so.

        A run cannot begin before it was sent, nor end after its end was seen. Where
        a back end says so all the same, its clock is wrong, but what it says of the
        length is not.
        """
        started, ended = self.whole("started_us"), self.whole("ended_us")
        planned, changed = self.whole("start_us"), self.whole("changed_us")
        sent = np.where(self.has("intent_us"), self.whole("intent_us"), planned)
        known = self.has("started_us") & self.has("ended_us")
        wrong = (started < sent - CLOCK_SKEW_US) | (ended > changed + CLOCK_SKEW_US)
        begin = np.where(self.has("started_us"), np.maximum(started, sent), sent)
        assumed = begin + self.whole("end_us") - planned
        cut = np.maximum(begin, np.minimum(assumed, changed))
        assumed = np.where(self.is_in(SETTLED_STATES), cut, assumed)
        length = np.maximum(ended - started, 0)
        by_executor = known & wrong
        return RunTimes(
            start_us=np.where(by_executor, sent, begin),
            end_us=np.select(
                [~known, wrong], [assumed, sent + length], np.maximum(ended, begin)
            ),
            told_by=np.select(
                [~known, wrong], [Times.ASSUMED, Times.EXECUTOR], Times.REPORTED
            ).astype(np.int8),
        )


def attempts_of(ledger: Ledger, date: str) -> Attempts:
    """Every attempt of a date, by job, segment and number."""
    return _attempts(ledger.query(f"{_QUERY} d.date = ?", date))


def earlier_attempts(ledger: Ledger, date: str, *, since_us: int) -> Attempts:
    """Attempts of earlier dates that ran on beyond an instant; they go first."""
    rows = ledger.query(
        f"{_QUERY} d.date < ? and d.started_us is not null "
        "and coalesce(d.ended_us, d.end_us) > ?",
        date,
        since_us,
    )
    return _attempts(rows)


def digest_of(attempts: Attempts) -> str:
    """SHA-256 of what was taken from the ledger; equal for equal content."""
    digest = hashlib.sha256()
    columns = (column.to_pylist() for column in attempts.rows.columns)
    for row in zip(*columns, strict=True):
        digest.update(json.dumps(row).encode() + b"\n")
    return digest.hexdigest()


def _attempts(found: list[tuple[Any, ...]]) -> Attempts:
    """Rows of the ledger as columns; databases differ in how they sort texts."""
    columns = zip(*found, strict=True) if found else [()] * len(ATTEMPT_SCHEMA)
    table = pa.table(
        [
            _column(values, field)
            for values, field in zip(columns, ATTEMPT_SCHEMA, strict=True)
        ],
        schema=ATTEMPT_SCHEMA,
    )
    order = [(name, "ascending") for name in ("job_id", "segment", "attempt")]
    return Attempts(rows=table.take(pc.sort_indices(table, sort_keys=order)))


def _column(values: Iterable[Any], field: pa.Field) -> pa.Array:
    if pa.types.is_boolean(field.type):
        return pa.array(values, _WHOLE).cast(field.type).fill_null(False)
    return pa.array(values, field.type)

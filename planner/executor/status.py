"""How every segment of a planned date stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pyarrow.compute as pc

from outputs.plan import PLANNED, Plan
from planner.executor.backends.backend import Backend
from planner.executor.dependencies import waiting_for
from planner.executor.holds import Hold, hold_on, holds_in_force
from planner.executor.hosts import bound_runs
from planner.executor.instants import from_us, to_us
from planner.executor.ledger import Ledger
from planner.executor.records import Dispatch
from planner.executor.rules import GRACE_US, is_late
from planner.executor.states import State


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchStatus:
    """One attempt at one segment, as planned and as it really went.

    Parameters
    ----------
    key
        None while the plan has not been followed yet.
    due_at
        When it may be sent: the planned start, later for a further attempt.
    late
        Still ahead although its start has passed.
    late_s
        How long after that it was sent, or is not sent yet; None before. [s]
    held
        Who holds it back and why, None if nobody does.
    waits_for
        A job that has to be done first, if that is why a due one is not sent.
    stdout, stderr
        Where the output is; None if it was never sent.
    host
        The host that alone can tell of an open run; None where any can.
    """

    job_id: str
    segment: int
    attempt: int
    region: str
    state: State
    planned_start: datetime
    planned_end: datetime
    key: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    reason: str | None = None
    due_at: datetime | None = None
    late: bool = False
    late_s: float | None = None
    held: str | None = None
    waits_for: str | None = None
    stdout: str | None = None
    stderr: str | None = None
    host: str | None = None


def status(
    ledger: Ledger,
    plan: Plan,
    *,
    now: datetime,
    backends: Mapping[str, Backend] | None = None,
) -> tuple[DispatchStatus, ...]:
    """Every dispatch of a plan's date, by planned start and job id.

    Reads the ledger alone; what ended since the executor last ran shows after its
    next run. Rows of a plan that was never followed are shown as planned.

    Parameters
    ----------
    now
        The clock, aware; tells what is late.
    backends
        Asked where the output is.
    """
    found = ledger.dispatches(
        "date = ? order by start_us, job_id, segment, attempt",
        plan.meta.date.isoformat(),
    )
    holds, needs = holds_in_force(ledger), waiting_for(ledger, to_us(now))
    hosts = {run.key: run.host for run in bound_runs(ledger)}
    rows = [
        replace(
            _of_dispatch(row, to_us(now), backends or {}),
            held=_held(row, holds),
            waits_for=needs.get(row.key),
            host=hosts.get(row.key),
        )
        for row in found
    ]
    known = {(row.job_id, row.segment) for row in rows}
    rows += [
        row for row in _of_plan(plan, now) if (row.job_id, row.segment) not in known
    ]
    return tuple(
        sorted(rows, key=lambda r: (r.planned_start, r.job_id, r.segment, r.attempt))
    )


def _held(row: Dispatch, holds: tuple[Hold, ...]) -> str | None:
    hold = hold_on(row, holds) if row.state is State.PLANNED else None
    return None if hold is None else hold.words


def _late_s(row: Dispatch, now_us: int) -> float | None:
    at_us = now_us if row.state is State.PLANNED else row.intent_us
    return None if at_us is None or at_us < row.due_us else (at_us - row.due_us) / 1e6


def _of_dispatch(
    row: Dispatch, now_us: int, backends: Mapping[str, Backend]
) -> DispatchStatus:
    backend = backends.get(row.executor)
    sent = row.intent_us is not None
    logs = backend.logs(row.key, row.handle) if backend and sent else None
    return DispatchStatus(
        key=row.key,
        job_id=row.job_id,
        segment=row.segment,
        attempt=row.attempt,
        region=row.region,
        state=row.state,
        planned_start=from_us(row.start_us),
        planned_end=from_us(row.end_us),
        started_at=None if row.started_us is None else from_us(row.started_us),
        ended_at=None if row.ended_us is None else from_us(row.ended_us),
        exit_code=row.exit_code,
        reason=row.reason,
        due_at=from_us(row.due_us),
        late=row.state is State.PLANNED and is_late(row, now_us),
        late_s=_late_s(row, now_us),
        stdout=str(logs.stdout) if logs and logs.stdout else None,
        stderr=str(logs.stderr) if logs and logs.stderr else None,
    )


def _of_plan(plan: Plan, now: datetime) -> list[DispatchStatus]:
    placed = plan.rows.filter(pc.equal(plan.rows["status"], PLANNED))
    columns = ("job_id", "segment", "region", "start", "end")
    return [
        DispatchStatus(
            job_id=row["job_id"],
            segment=row["segment"],
            attempt=1,
            region=row["region"],
            state=State.PLANNED,
            planned_start=row["start"],
            planned_end=row["end"],
            due_at=row["start"],
            late=to_us(now) > to_us(row["start"]) + GRACE_US,
        )
        for row in placed.select(columns).to_pylist()
    ]

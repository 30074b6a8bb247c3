"""Asking back ends what became of what was sent, or may have been."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from planner.executor.backends.backend import Backend, Phase, Report
from planner.executor.errors import BackendError
from planner.executor.instants import span_us, to_us
from planner.executor.journal import Journal
from planner.executor.keys import dispatch_key
from planner.executor.records import Dispatch
from planner.executor.rules import retry_due_us, why_missed
from planner.executor.states import State

_STATES = {
    Phase.WAITING: State.SENT,
    Phase.RUNNING: State.RUNNING,
    Phase.DONE: State.DONE,
    Phase.FAILED: State.FAILED,
    Phase.CANCELLED: State.CANCELLED,
    Phase.LOST: State.UNKNOWN,
    Phase.ABSENT: State.UNKNOWN,
}


def collect(journal: Journal, backends: Mapping[str, Backend]) -> list[Dispatch]:
    """Bring the ledger up to date with the back ends.

    Returns
    -------
    list of Dispatch
        Unknown ones that surely were never taken and may be sent again, under
        the same key.
    """
    _own_up(journal)
    live = journal.ledger.dispatches(
        "state in ('sent', 'running') order by due_us, key"
    )
    reports = [(dispatch, _status(backends, dispatch)) for dispatch in live]
    with journal.ledger.transaction():
        for dispatch, report in reports:
            if report is not None:
                absorb(journal, dispatch, report)
    return _look_up(journal, backends)


def absorb(journal: Journal, dispatch: Dispatch, report: Report) -> Dispatch:
    """Take a back end's answer into the ledger, with the retry that may follow."""
    state = _STATES[report.phase]
    if state == dispatch.state or (
        state is State.SENT and dispatch.state is State.RUNNING
    ):
        return dispatch
    reason = report.reason
    if report.phase is Phase.ABSENT:
        reason = "the back end does not know it any more"
    with journal.ledger.transaction():
        after = journal.move(
            dispatch,
            state,
            reason,
            handle=report.handle or dispatch.handle,
            started_us=_us(report.started_at, dispatch.started_us),
            ended_us=_us(report.ended_at, dispatch.ended_us),
            exit_code=report.exit_code,
            reason=reason,
        )
        if state is State.FAILED:
            plan_retry(journal, after)
    return after


def plan_retry(journal: Journal, failed: Dispatch) -> None:
    """Enter a further attempt, if the job allows one and its deadline another run."""
    due_us = retry_due_us(failed, journal.at_us)
    if due_us is None:
        return
    attempt = failed.attempt + 1
    key = dispatch_key(
        site=journal.ledger.site,
        day=date.fromisoformat(failed.date),
        job_id=failed.job_id,
        segment=failed.segment,
        attempt=attempt,
    )
    again = replace(
        failed,
        key=key,
        attempt=attempt,
        due_us=due_us,
        state=State.PLANNED,
        intent_us=None,
        handle=None,
        started_us=None,
        ended_us=None,
        exit_code=None,
        reason=None,
    )
    journal.ledger.add(again, actor=journal.actor, detail=f"retry of {failed.key}")


def _own_up(journal: Journal) -> None:
    """An intent found at the start is of an executor that ended before the answer."""
    with journal.ledger.transaction():
        for dispatch in journal.ledger.dispatches("state = 'intent'"):
            reason = "the executor ended before the answer was stored"
            journal.move(dispatch, State.UNKNOWN, reason, reason=reason)


def _look_up(journal: Journal, backends: Mapping[str, Backend]) -> list[Dispatch]:
    again = []
    for dispatch in journal.ledger.dispatches("state = 'unknown' order by due_us, key"):
        backend = backends.get(dispatch.executor)
        if backend is None:
            continue
        try:
            report = backend.look_up(dispatch.key)
            if report.phase is not Phase.ABSENT:
                absorb(journal, dispatch, report)
            elif not surely_absent(backend, dispatch, journal.at_us):
                continue
            elif why_missed(dispatch, journal.at_us) is None:
                again.append(dispatch)
            else:
                _close(journal, backend, dispatch)
        except BackendError:
            continue
    return again


def surely_absent(backend: Backend, dispatch: Dispatch, now_us: int) -> bool:
    """Whether a key that a back end does not know was certainly never begun."""
    if backend.refuses_repeats:
        return True
    sent_us = dispatch.intent_us or dispatch.changed_us
    return dispatch.handle is None and now_us >= sent_us + span_us(backend.settle)


def _close(journal: Journal, backend: Backend, dispatch: Dispatch) -> None:
    """Too late to send: make sure that it cannot begin, then call it missed."""
    report = backend.cancel(dispatch.key, dispatch.handle)
    if report.phase in (Phase.ABSENT, Phase.CANCELLED):
        reason = why_missed(dispatch, journal.at_us)
        journal.move(dispatch, State.MISSED, reason, reason=reason)
    else:
        absorb(journal, dispatch, report)


def _status(backends: Mapping[str, Backend], dispatch: Dispatch) -> Report | None:
    backend = backends.get(dispatch.executor)
    if backend is None:
        return None
    try:
        return backend.status(dispatch.key, dispatch.handle)
    except BackendError:
        return None


def _us(instant: datetime | None, otherwise: int | None) -> int | None:
    return otherwise if instant is None else to_us(instant)

"""Asking back ends what became of what was sent, or may have been."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial

from planner.executor.attempts import plan_retry
from planner.executor.backends.backend import Backend, Phase, Report
from planner.executor.backends.wording import one_line
from planner.executor.crew import Crew
from planner.executor.endings import Ask, as_asked, asked_to_end
from planner.executor.errors import BackendError
from planner.executor.instants import span_us, to_us
from planner.executor.journal import Journal
from planner.executor.patience import Patience
from planner.executor.records import Dispatch
from planner.executor.rules import why_missed
from planner.executor.states import State

Stop = Callable[[], bool]
"""Whether the executor was told to leave."""

_STATES = {
    Phase.WAITING: State.SENT,
    Phase.RUNNING: State.RUNNING,
    Phase.DONE: State.DONE,
    Phase.FAILED: State.FAILED,
    Phase.CANCELLED: State.CANCELLED,
    Phase.LOST: State.UNKNOWN,
    Phase.ABSENT: State.UNKNOWN,
}


def never() -> bool:
    """Nobody tells the executor to leave."""
    return False


def collect(
    journal: Journal,
    backends: Mapping[str, Backend],
    *,
    patience: Patience,
    stop: Stop = never,
) -> None:
    """Bring what was sent up to date with the back ends.

    Parameters
    ----------
    patience
        How long back ends may be silent in this run.
    stop
        Asked before each call to a back end: whether to leave the rest for later.
    """
    live = journal.ledger.dispatches(
        "state in ('sent', 'running') order by due_us, key"
    )
    reports: dict[str, Report | BackendError | None] = {}
    with Crew[Report | None](backends) as crew:
        for dispatch in live:
            backend = backends.get(dispatch.executor)
            if backend is None:
                continue
            place = (dispatch.executor, dispatch.region)
            crew.make_room(place)
            if stop():
                break
            status = partial(backend.status, dispatch.key, dispatch.handle)
            crew.call(
                place,
                partial(patience.ask, dispatch, status),
                partial(reports.__setitem__, dispatch.key),
            )
    with journal.ledger.transaction():
        for dispatch in live:
            report = reports.get(dispatch.key)
            if isinstance(report, Report):
                absorb(journal, dispatch, report)


def absorb(journal: Journal, dispatch: Dispatch, report: Report) -> Dispatch:
    """Take a back end's answer into the ledger, with the retry that may follow."""
    if report.reason is not None:
        report = replace(report, reason=one_line(report.reason))
    report = as_asked(journal.ledger, dispatch, report)
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
            exit_code=_storable(report.exit_code),
            reason=reason,
        )
        if report.energy is not None:
            journal.ledger.keep_energy(dispatch.key, report.energy, at_us=journal.at_us)
        if state is State.FAILED:
            plan_retry(journal, after)
    return after


def own_up(journal: Journal) -> None:
    """An intent found at the start is of an executor that ended before the answer."""
    with journal.ledger.transaction():
        for dispatch in journal.ledger.dispatches("state = 'intent'"):
            reason = "the executor ended before the answer was stored"
            journal.move(dispatch, State.UNKNOWN, reason, reason=reason)


def look_up(
    journal: Journal,
    backends: Mapping[str, Backend],
    *,
    patience: Patience,
    stop: Stop = never,
    rehearsal: bool = False,
) -> list[Dispatch]:
    """Ask for what is unknown by its key; ``patience`` and ``stop`` as for ``collect``.

    Returns
    -------
    list of Dispatch
        Those that surely were never taken and may be sent again, under the same key.
    """
    again = []
    for dispatch in journal.ledger.dispatches("state = 'unknown' order by due_us, key"):
        backend = backends.get(dispatch.executor)
        if backend is None or stop():
            continue
        find = partial(_found_out, journal, backend, dispatch, rehearsal=rehearsal)
        if patience.ask(dispatch, find) is False:
            again.append(dispatch)
    return again


def _found_out(
    journal: Journal, backend: Backend, dispatch: Dispatch, *, rehearsal: bool
) -> bool:
    """Ask by its key; False if it surely was never taken and is still to be sent."""
    report = backend.look_up(dispatch.key)
    if report.phase is not Phase.ABSENT:
        absorb(journal, dispatch, report)
    elif (ask := _user_asked(journal, backend, dispatch)) is not None:
        _close(journal, backend, dispatch, ask, rehearsal=rehearsal)
    elif surely_absent(backend, dispatch, journal.at_us):
        missed = why_missed(dispatch, journal.at_us)
        if missed is None:
            return False
        _close(journal, backend, dispatch, missed, rehearsal=rehearsal)
    return True


def surely_absent(backend: Backend, dispatch: Dispatch, now_us: int) -> bool:
    """Whether a key that a back end does not know was certainly never begun."""
    if backend.refuses_repeats:
        return True
    return dispatch.handle is None and _has_settled(backend, dispatch, now_us)


def _has_settled(backend: Backend, dispatch: Dispatch, now_us: int) -> bool:
    sent_us = dispatch.intent_us or dispatch.changed_us
    return now_us >= sent_us + span_us(backend.settle)


def _user_asked(journal: Journal, backend: Backend, dispatch: Dispatch) -> Ask | None:
    """The user's wish to end it, once an absent key cannot turn up any more."""
    if not (backend.refuses_repeats or _has_settled(backend, dispatch, journal.at_us)):
        return None
    ask = asked_to_end(journal.ledger, dispatch.key)
    return ask if ask is not None and ask.by_user else None


def _close(
    journal: Journal,
    backend: Backend,
    dispatch: Dispatch,
    why: Ask | str,
    *,
    rehearsal: bool,
) -> None:
    """Not to be sent any more: make sure that it cannot begin, then call it so."""
    if rehearsal:
        report = Report(phase=Phase.ABSENT)
    else:
        report = backend.cancel(dispatch.key, dispatch.handle)
    if report.phase not in (Phase.ABSENT, Phase.CANCELLED):
        absorb(journal, dispatch, report)
    elif isinstance(why, Ask):
        journal.move(dispatch, State.CANCELLED, why.why, reason=why.why)
    else:
        journal.move(dispatch, State.MISSED, why, reason=why)


def _storable(exit_code: int | None) -> int | None:
    """An exit status of 32 bits, which Windows tells without a sign; else None."""
    if exit_code is None or not -(1 << 31) <= exit_code < 1 << 32:
        return None
    return exit_code - (1 << 32) if exit_code >= 1 << 31 else exit_code


def _us(instant: datetime | None, otherwise: int | None) -> int | None:
    return otherwise if instant is None else to_us(instant)

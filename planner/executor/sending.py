"""Sending what is due: the intent is stored before, the answer after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from planner.executor.backends.backend import Backend
from planner.executor.collection import absorb
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
)
from planner.executor.journal import Journal
from planner.executor.pacing import Pacing
from planner.executor.records import Dispatch
from planner.executor.rules import is_late, why_missed
from planner.executor.specs import order_of
from planner.executor.states import State


def send_due(
    journal: Journal,
    backends: Mapping[str, Backend],
    *,
    again: Sequence[Dispatch] = (),
    rehearsal: bool = False,
) -> list[Dispatch]:
    """Send all that is due, the most urgent deadline first.

    Parameters
    ----------
    again
        Unknown ones that surely were never taken; sent first, under their keys.
    rehearsal
        Record what would be sent, but hand nothing to a back end.

    Returns
    -------
    list of Dispatch
        Due ones that had to wait: the region has no power left for late runs.
    """
    due = journal.ledger.dispatches(
        "state = 'planned' and due_us <= ? order by deadline_us, due_us, key",
        journal.at_us,
    )
    due = _settle(journal, due, backends)
    if not due and not again:
        return []
    pacing = Pacing(journal.ledger)
    punctual = [d for d in due if not is_late(d, journal.at_us)]
    late = [d for d in due if is_late(d, journal.at_us)]
    for dispatch in (*again, *punctual):
        pacing.take(dispatch)
        _send(journal, backends[dispatch.executor], dispatch, rehearsal=rehearsal)
    waiting = []
    for dispatch in late:
        if pacing.has_room(dispatch):
            pacing.take(dispatch)
            _send(journal, backends[dispatch.executor], dispatch, rehearsal=rehearsal)
        else:
            waiting.append(dispatch)
    return waiting


def _settle(
    journal: Journal, due: list[Dispatch], backends: Mapping[str, Backend]
) -> list[Dispatch]:
    """Close what can never be sent or is too late; the rest is returned."""
    sendable = []
    with journal.ledger.transaction():
        for dispatch in due:
            missed = why_missed(dispatch, journal.at_us)
            if missed is not None:
                journal.move(dispatch, State.MISSED, missed, reason=missed)
            elif dispatch.executor not in backends:
                known = ", ".join(sorted(backends))
                reason = f"no back end is called {dispatch.executor}; there is {known}"
                journal.move(dispatch, State.FAILED, reason, reason=reason)
            else:
                sendable.append(dispatch)
    return sendable


def _send(
    journal: Journal, backend: Backend, dispatch: Dispatch, *, rehearsal: bool
) -> None:
    # A dispatch that was unknown may have an earlier sending on its way: whatever
    # goes wrong now, it is unknown again and never merely planned.
    was_unknown = dispatch.state is State.UNKNOWN
    try:
        order = order_of(dispatch, journal.ledger.spec(dispatch.spec_digest))
    except RejectedError as error:
        journal.move(dispatch, State.FAILED, str(error), reason=str(error))
        return
    late_s = (journal.at_us - dispatch.due_us) / 1e6
    intent = journal.move(
        dispatch,
        State.INTENT,
        f"{late_s:.0f} s after its time",
        intent_us=journal.at_us,
    )
    if rehearsal:
        return
    try:
        report = backend.submit(order)
    except BackendError as error:
        state = State.UNKNOWN if was_unknown else _after(error)
        journal.move(intent, state, str(error), reason=str(error))
    else:
        absorb(journal, intent, report)


def _after(error: BackendError) -> State:
    if isinstance(error, RejectedError):
        return State.FAILED
    if isinstance(error, NotTakenError):
        return State.PLANNED
    return State.UNKNOWN

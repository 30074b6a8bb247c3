"""Sending what is due: the intent is stored before, the answer after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from planner.executor.backends.backend import Backend, Report
from planner.executor.backends.wording import one_line
from planner.executor.collection import Stop, absorb, never
from planner.executor.crew import Crew
from planner.executor.dependencies import waiting_for
from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
)
from planner.executor.holds import hold_on, holds_in_force
from planner.executor.journal import Journal
from planner.executor.pacing import Pacing
from planner.executor.records import Dispatch
from planner.executor.rules import LONGEST_BACKOFF_US, is_foreseen, why_missed
from planner.executor.specs import order_of
from planner.executor.states import State

FAILURES_IN_A_ROW = 3
"""After so many calls in a row about a region that came to nothing a back end is left
alone there until the next run, so that one that is down costs a few calls a minute and
not one for each job.
"""


@dataclass(slots=True)
class Queue:
    """What is due, in the order of sending, and what has to wait.

    Parameters
    ----------
    held
        Held back by the user.
    waiting
        Their region has no power left for late runs.
    dependent
        A job that they depend on has not ended yet.
    resting
        Their back end is busy or down.
    """

    held: list[Dispatch] = field(default_factory=list)
    waiting: list[Dispatch] = field(default_factory=list)
    dependent: list[Dispatch] = field(default_factory=list)
    resting: list[Dispatch] = field(default_factory=list)


def send_due(
    journal: Journal,
    backends: Mapping[str, Backend],
    *,
    again: Sequence[Dispatch] = (),
    stop: Stop = never,
    rehearsal: bool = False,
) -> Queue:
    """Send all that is due, the most urgent deadline first.

    Punctual ones go first; what is late, or tried again, follows as far as power
    allows. Among either, what a back end turned down before comes last.

    Parameters
    ----------
    again
        Unknown ones that surely were never taken; sent first, under their keys.
    stop
        Asked before each sending: whether to leave the rest for later.
    rehearsal
        Record what would be sent, but hand nothing to a back end.

    Returns
    -------
    Queue
        Due ones that had to wait.
    """
    queue = Queue()
    due = _sendable(journal, _due(journal), backends, queue)
    if not due and not again:
        return queue
    pacing = _pacing(journal, again, due, queue)
    punctual = [d for d in due if is_foreseen(d, journal.at_us)]
    others = [d for d in due if not is_foreseen(d, journal.at_us)]
    with Crew[Report](backends) as crew:
        for dispatch in (*again, *punctual, *others):
            place = (dispatch.executor, dispatch.region)
            crew.make_room(place)
            if stop():
                break
            if crew.in_vain(place) >= FAILURES_IN_A_ROW:
                queue.resting.append(dispatch)
            elif not pacing.may_start(dispatch):
                queue.waiting.append(dispatch)
            # Asked anew for each: a hold counts from the moment when it is stored.
            elif hold_on(dispatch, holds_in_force(journal.ledger)) is not None:
                queue.held.append(dispatch)
            else:
                pacing.take(dispatch)
                backend = backends[dispatch.executor]
                _send(journal, crew, backend, dispatch, rehearsal=rehearsal)
    return queue


def _pacing(
    journal: Journal, again: Sequence[Dispatch], due: list[Dispatch], queue: Queue
) -> Pacing:
    """Power in use, with room for all that the plan wants now, sent at once or not."""
    pacing = Pacing(
        journal.ledger,
        journal.at_us,
        longest_us=max(dispatch.duration_us for dispatch in (*again, *due)),
        leave_out=frozenset(dispatch.key for dispatch in again),
    )
    for dispatch in (*again, *due, *queue.held, *queue.dependent):
        pacing.reserve(dispatch)
    return pacing


def _due(journal: Journal) -> list[Dispatch]:
    # A further attempt never waits for longer than the longest pause: one that is due
    # later than that was planned under a clock that was wrong. What was turned down
    # goes behind what was not: it may be turned down for ever, and holds up nothing.
    return journal.ledger.dispatches(
        "state = 'planned' and (due_us <= ? or (attempt > 1 and due_us > ?)) "
        "order by coalesce(intent_us, 0), deadline_us, due_us, key",
        *(journal.at_us, journal.at_us + LONGEST_BACKOFF_US),
    )


def _sendable(
    journal: Journal,
    due: list[Dispatch],
    backends: Mapping[str, Backend],
    queue: Queue,
) -> list[Dispatch]:
    """Close what can never be sent or is too late, and leave out what must wait."""
    sendable = []
    holds = holds_in_force(journal.ledger)
    needs = waiting_for(journal.ledger, journal.at_us) if due else {}
    with journal.ledger.transaction():
        for dispatch in due:
            hold, needed = hold_on(dispatch, holds), needs.get(dispatch.key)
            missed = why_missed(dispatch, journal.at_us)
            if missed is not None:
                missed += "" if hold is None else f"; {hold.words}"
                missed += "" if needed is None else f"; it waited for {needed}"
                journal.move(dispatch, State.MISSED, missed, reason=missed)
            elif dispatch.executor not in backends:
                known = ", ".join(sorted(backends))
                reason = f"no back end is called {dispatch.executor}; there is {known}"
                journal.move(dispatch, State.FAILED, reason, reason=reason)
            elif hold is not None:
                queue.held.append(dispatch)
            elif needed is not None:
                queue.dependent.append(dispatch)
            else:
                sendable.append(dispatch)
    return sendable


def _send(
    journal: Journal,
    crew: Crew[Report],
    backend: Backend,
    dispatch: Dispatch,
    *,
    rehearsal: bool,
) -> None:
    """Store the intent, and hand the order over."""
    try:
        order = order_of(dispatch, journal.ledger.spec(dispatch.spec_digest))
    except RejectedError as error:
        reason = one_line(error)
        journal.move(dispatch, State.FAILED, reason, reason=reason)
        return
    late_s = max(0.0, (journal.at_us - dispatch.due_us) / 1e6)
    intent = journal.move(
        dispatch,
        State.INTENT,
        f"{late_s:.0f} s after its time",
        intent_us=journal.at_us,
    )
    if rehearsal:
        return
    crew.call(
        (dispatch.executor, dispatch.region),
        partial(backend.submit, order),
        # A dispatch that was unknown may have an earlier sending on its way: whatever
        # goes wrong now, it is unknown again and never merely planned.
        partial(_sent, journal, intent, was_unknown=dispatch.state is State.UNKNOWN),
    )


def _sent(
    journal: Journal,
    intent: Dispatch,
    answer: Report | BackendError,
    *,
    was_unknown: bool,
) -> None:
    """Store what came of a sending."""
    if not isinstance(answer, BackendError):
        absorb(journal, intent, answer)
        return
    state = State.UNKNOWN if was_unknown else _after(answer)
    reason = one_line(answer)
    journal.move(intent, state, reason, reason=reason)


def _after(error: BackendError) -> State:
    if isinstance(error, RejectedError):
        return State.FAILED
    if isinstance(error, NotTakenError):
        return State.PLANNED
    return State.UNKNOWN

"""What users ask of the executor while it works: cancel, try again, close a job.

A wish is stored at once, by any process, and acted on by whoever holds the lease:
the process that stored it if the lease is free, else the next run. A wish for a date
whose plan was not followed yet waits for that plan. Acting twice on the same wish
does no harm.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from enum import StrEnum
from functools import partial

from planner.executor.attempts import MOST, add_attempt
from planner.executor.backends.backend import Backend
from planner.executor.closing import close_by_word
from planner.executor.collection import absorb
from planner.executor.endings import asked_to_end
from planner.executor.journal import Journal
from planner.executor.keys import KEY_PATTERN
from planner.executor.ledger import Ledger
from planner.executor.patience import Patience
from planner.executor.records import Dispatch
from planner.executor.states import LIVE, State


class Verb(StrEnum):
    """What is to become of a job."""

    CANCEL = "cancel"
    RETRY = "retry"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Something that a user asked for.

    Parameters
    ----------
    date
        Planned date of the job.
    target
        Id of a job or array, or a key.
    outcome
        What came of it, None while nobody has acted on it.
    state
        What the user says became of the job; only with ``close``.
    """

    sequence: int
    verb: Verb
    date: str
    target: str
    at_us: int
    actor: str
    reason: str | None
    outcome: str | None
    state: State | None = None

    @property
    def words(self) -> str:
        """Who wishes what and why, for people."""
        done = {
            Verb.CANCEL: "cancelled by",
            Verb.RETRY: "tried again for",
            Verb.CLOSE: f"{self.state}, says",
        }[self.verb]
        return f"{done} {self.actor}" + (f": {self.reason}" if self.reason else "")


_FIELDS = ", ".join(field.name for field in fields(Wish))


def make_wish(
    ledger: Ledger,
    *,
    verb: Verb,
    date: str,
    target: str,
    at_us: int,
    actor: str,
    reason: str | None,
    state: State | None = None,
) -> int:
    """Store a wish; its number. One that nobody has acted on yet is not doubled."""
    with ledger.transaction():
        for wish in pending(ledger):
            same = (wish.verb, wish.date, wish.target, wish.state)
            if same == (verb, date, target, state):
                return wish.sequence
        ledger.execute(
            "insert into wishes (verb, date, target, at_us, actor, reason, state) "
            "values (?, ?, ?, ?, ?, ?, ?)",
            *(verb, date, target, at_us, actor, reason, state),
        )
        return pending(ledger)[-1].sequence


def pending(ledger: Ledger) -> tuple[Wish, ...]:
    """Wishes that nobody has acted on yet, oldest first."""
    return _wishes(ledger, "done_us is null")


def wishes_numbered(ledger: Ledger, numbers: list[int]) -> tuple[Wish, ...]:
    """Wishes by their numbers, oldest first."""
    marks = ", ".join("?" for _ in numbers)
    return _wishes(ledger, f"sequence in ({marks})", *numbers)


def targets(ledger: Ledger, *, date: str, target: str) -> list[Dispatch]:
    """Newest attempt at each segment that a job id, array id or key means."""
    if KEY_PATTERN.fullmatch(target):
        named = ledger.query(
            "select date, job_id, segment from dispatches where key = ?", target
        )
        condition, values = "date = ? and job_id = ? and segment = ?", [*sum(named, ())]
    else:
        named = [()]
        condition = "date = ? and (job_id = ? or substr(job_id, 1, ?) = ?)"
        values = [date, target, len(target) + 1, f"{target}["]
    if not named:
        return []
    found = ledger.dispatches(f"{condition} order by job_id, segment, attempt", *values)
    return [*{(d.job_id, d.segment): d for d in found}.values()]


def carry_out(
    journal: Journal,
    backends: Mapping[str, Backend],
    *,
    patience: Patience,
    rehearsal: bool = False,
) -> None:
    """Act on every wish that can be acted on; under the lease.

    Parameters
    ----------
    patience
        How long back ends may be silent in this run.
    """
    for wish in pending(journal.ledger):
        found = targets(journal.ledger, date=wish.date, target=wish.target)
        if not found and journal.ledger.newest_followed(wish.date) is None:
            continue
        # The history shows the user whose wish it is, not who happens to act on it.
        theirs = replace(journal, actor=wish.actor)
        act = partial(_ACTS[wish.verb], theirs, backends, wish, patience, rehearsal)
        outcomes = [act(dispatch) for dispatch in found]
        settled = [outcome for outcome in outcomes if outcome is not None]
        if len(settled) == len(outcomes):
            _close(journal, wish, settled)


def _close(journal: Journal, wish: Wish, outcomes: list[str]) -> None:
    told = [o if n == 1 else f"{n} × {o}" for o, n in Counter(outcomes).items()]
    with journal.ledger.transaction():
        journal.ledger.execute(
            "update wishes set done_us = ?, outcome = ? where sequence = ?",
            *(journal.at_us, "; ".join(told) or "not in the plan", wish.sequence),
        )


def _cancel(
    journal: Journal,
    backends: Mapping[str, Backend],
    wish: Wish,
    patience: Patience,
    rehearsal: bool,
    dispatch: Dispatch,
) -> str | None:
    """What came of it; None while it is not known whether there is one to end."""
    if dispatch.state is State.PLANNED:
        journal.move(dispatch, State.CANCELLED, wish.words, reason=wish.words)
        return "cancelled"
    if dispatch.state is State.CANCELLED:
        return "cancelled"
    if dispatch.state not in LIVE:
        return f"nothing to cancel, it is {dispatch.state}"
    backend = backends.get(dispatch.executor)
    if backend is None or rehearsal:
        return "told to end"
    ask = asked_to_end(journal.ledger, dispatch.key)
    if ask is None or not ask.by_user:
        dispatch = journal.move(dispatch, dispatch.state, wish.words)
    cancel = partial(backend.cancel, dispatch.key, dispatch.handle)
    report = patience.ask(dispatch, cancel)
    if report is None or dispatch.state is State.UNKNOWN:
        return None  # the next run asks again, also because it may still turn up
    dispatch = absorb(journal, dispatch, report)
    return "cancelled" if dispatch.state is State.CANCELLED else "told to end"


def _close_by_word(
    journal: Journal,
    backends: Mapping[str, Backend],
    wish: Wish,
    patience: Patience,
    rehearsal: bool,
    dispatch: Dispatch,
) -> str:
    assert wish.state is not None
    return close_by_word(
        journal,
        backends,
        dispatch,
        wish.state,
        words=wish.words,
        patience=patience,
        rehearsal=rehearsal,
    )


def _retry(
    journal: Journal,
    backends: Mapping[str, Backend],
    wish: Wish,
    patience: Patience,
    rehearsal: bool,
    dispatch: Dispatch,
) -> str:
    never_sent = dispatch.intent_us is None
    if dispatch.state is State.MISSED and never_sent:
        journal.move(
            dispatch, State.PLANNED, wish.words, reason=None, due_us=journal.at_us
        )
        return "planned for now"
    if dispatch.state in (State.FAILED, State.MISSED, State.CANCELLED):
        if dispatch.attempt == MOST:
            return f"not tried again, there were {MOST} attempts"
        add_attempt(journal, dispatch, due_us=journal.at_us, detail=wish.words)
        return "planned for now"
    if dispatch.state is State.BLOCKED:
        return f"not tried again, it {dispatch.reason}; try that one again"
    return f"nothing to try again, it is {dispatch.state}"


def _wishes(ledger: Ledger, condition: str, *values: object) -> tuple[Wish, ...]:
    rows = ledger.query(
        f"select {_FIELDS} from wishes where {condition} order by sequence", *values
    )
    names = [field.name for field in fields(Wish)]
    found = (dict(zip(names, row, strict=True)) for row in rows)
    return tuple(
        Wish(
            **{
                **facts,
                "verb": Verb(facts["verb"]),
                "state": facts["state"] and State(facts["state"]),
            }
        )
        for facts in found
    )


_ACTS: dict[Verb, Callable[..., str | None]] = {
    Verb.CANCEL: _cancel,
    Verb.RETRY: _retry,
    Verb.CLOSE: _close_by_word,
}

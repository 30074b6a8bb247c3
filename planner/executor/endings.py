"""Runs that were told to end before their time, by the user or by their time limit.

That a run was told to end is a step of its history that keeps its state, so that
whatever the back end says of it later is understood: a failure after the user's wish
is no reason to try again, and a run that went over its time limit has failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from planner.executor.actors import host_of
from planner.executor.backends.backend import Backend, Phase, Report
from planner.executor.instants import span_us
from planner.executor.journal import Event, Journal
from planner.executor.ledger import Ledger
from planner.executor.patience import Patience
from planner.executor.records import Dispatch
from planner.executor.specs import timeout_s_of
from planner.executor.states import State
from planner.executor.steady import passed_since

OVER_TIME = "over its time limit"

ELSEWHERE = "cancelled at the back end, not by planner cancel"
"""Begins the reason of a run that nobody here has told to end."""

MARGIN_US = span_us(timedelta(minutes=1))
"""Back ends that know a time limit get this long to enforce it themselves."""


def was_elsewhere(event: Event) -> bool:
    """Whether a run was ended though nobody here wished it."""
    detail = event.detail or ""
    return event.state is State.CANCELLED and detail.startswith(ELSEWHERE)


@dataclass(frozen=True, slots=True)
class Ask:
    """A run was told to end, and why."""

    why: str

    @property
    def by_user(self) -> bool:
        """Whether the user wished it, not the time limit."""
        return not self.why.startswith(OVER_TIME)


def asked_to_end(ledger: Ledger, key: str) -> Ask | None:
    """The last time when a run was told to end; the user's word comes first."""
    found = ledger.query(
        "select detail from transitions where key = ? and before_state = after_state "
        f"and after_state in ('{State.SENT}', '{State.RUNNING}', '{State.UNKNOWN}') "
        "order by sequence desc",
        key,
    )
    asks = [Ask(detail or "") for (detail,) in found]
    return next((ask for ask in asks if ask.by_user), asks[0] if asks else None)


def as_asked(ledger: Ledger, dispatch: Dispatch, report: Report) -> Report:
    """A back end's report in the light of what the run was told.

    The user's wish makes a failure a cancellation; a time limit makes a cancellation
    a failure. A run that is gone after it was told to end has ended. One that was
    cancelled though nobody here wished it says so.
    """
    if report.phase not in (Phase.FAILED, Phase.CANCELLED, Phase.ABSENT):
        return report
    ask = asked_to_end(ledger, dispatch.key)
    if ask is None and report.phase is Phase.CANCELLED:
        why = f"{ELSEWHERE}; {report.reason}" if report.reason else ELSEWHERE
        return replace(report, reason=why)
    if ask is None or (report.phase is Phase.ABSENT and dispatch.handle is None):
        return report
    reason = ask.why
    if report.reason and report.phase is not Phase.CANCELLED:
        reason = f"{ask.why}; {report.reason}"
    return replace(
        report, phase=Phase.CANCELLED if ask.by_user else Phase.FAILED, reason=reason
    )


def enforce_time_limits(
    journal: Journal, backends: Mapping[str, Backend], *, patience: Patience
) -> None:
    """Tell runs to end that their back ends let run far over their time limit."""
    limits: dict[str, float | None] = {}
    passed = passed_since(
        journal.ledger, host=host_of(journal.actor), now_us=journal.at_us
    )
    for dispatch in journal.ledger.dispatches("state = 'running' order by key"):
        digest = dispatch.spec_digest
        if digest not in limits:
            limits[digest] = timeout_s_of(journal.ledger.spec(digest))
        limit_s = limits[digest]
        if limit_s is None:
            continue
        if passed(_began_us(dispatch)) > limit_s * 1e6 + MARGIN_US:
            why = f"{OVER_TIME} of {limit_s:g} s"
            _end(journal, backends, dispatch, why, patience)


def _began_us(dispatch: Dispatch) -> int:
    # No run begins before it was sent, whatever the clock of its back end says.
    return max(dispatch.started_us or dispatch.changed_us, dispatch.intent_us or 0)


def _end(
    journal: Journal,
    backends: Mapping[str, Backend],
    dispatch: Dispatch,
    why: str,
    patience: Patience,
) -> None:
    backend = backends.get(dispatch.executor)
    if backend is None:
        return
    # The wish stands in the ledger first; one that is lost is passed on again.
    if asked_to_end(journal.ledger, dispatch.key) is None:
        dispatch = journal.move(dispatch, dispatch.state, why)
    patience.ask(dispatch, partial(backend.cancel, dispatch.key, dispatch.handle))

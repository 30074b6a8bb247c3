"""Runs that nobody can look up any more, closed by the word of a person.

The executor never guesses what became of a run. Where its back end cannot tell (its
host is gone, its records are lost), somebody who knows may say so. What a back end can
tell goes before what people say.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from planner.executor.actors import host_of
from planner.executor.backends.backend import Backend, Phase, Report
from planner.executor.collection import absorb
from planner.executor.hosts import SILENT, teller_of
from planner.executor.instants import from_us, span_us
from planner.executor.journal import Journal
from planner.executor.ledger import Ledger
from planner.executor.patience import Patience
from planner.executor.records import Dispatch
from planner.executor.states import LIVE, State

CLOSED_AS = (State.DONE, State.FAILED)
"""What a person may say of a run."""

_KNOWS_NOTHING = (Phase.LOST, Phase.ABSENT)


def close_by_word(
    journal: Journal,
    backends: Mapping[str, Backend],
    dispatch: Dispatch,
    state: State,
    *,
    words: str,
    patience: Patience,
    rehearsal: bool = False,
) -> str:
    """Close a run as a person says, unless its back end says otherwise.

    It is not tried again by itself, even where its job allows retries: that, too,
    is for a person to say.

    Parameters
    ----------
    state
        One of ``CLOSED_AS``.
    words
        Who says so and why; the history keeps it.

    Returns
    -------
    str
        What came of it, for people.
    """
    if dispatch.state is State.PLANNED:
        return "not closed, it was never sent; planner cancel keeps it from that"
    if dispatch.state not in LIVE:
        return f"nothing to close, it is {dispatch.state}"
    if (free_us := _free_to_close_us(journal.ledger, dispatch)) > journal.at_us:
        return (
            "not closed, its host was just at work and alone can tell; if it is gone, "
            f"say so after {from_us(free_us):%Y-%m-%dT%H:%M:%SZ}"
        )
    report = _report(backends, dispatch, patience, rehearsal=rehearsal)
    if report is not None:
        dispatch = absorb(journal, dispatch, report)
        return f"not closed, its back end says that it is {dispatch.state}"
    journal.move(dispatch, state, words, reason=words)
    return f"closed as {state}"


def _free_to_close_us(ledger: Ledger, dispatch: Dispatch) -> int:
    """When a host that alone can tell of a run has been silent for long enough."""
    host = teller_of(ledger, dispatch)
    if host is None or host == host_of(ledger.lease_holder() or ""):
        return 0
    seen = ledger.query("select seen_us from hosts where name = ?", host)
    return int(seen[0][0]) + span_us(SILENT) if seen else 0


def _report(
    backends: Mapping[str, Backend],
    dispatch: Dispatch,
    patience: Patience,
    *,
    rehearsal: bool,
) -> Report | None:
    """What its back end knows of it; None if it cannot tell, or nothing."""
    backend = backends.get(dispatch.executor)
    if backend is None:
        return None
    report = patience.ask(dispatch, partial(backend.look_up, dispatch.key))
    if report is None or report.phase not in _KNOWS_NOTHING:
        return report
    if rehearsal:
        return None
    # What is not there must not begin later, beside a further attempt.
    cancel = partial(backend.cancel, dispatch.key, dispatch.handle)
    report = patience.ask(dispatch, cancel)
    if report is None or report.phase in (*_KNOWS_NOTHING, Phase.CANCELLED):
        return None
    return report

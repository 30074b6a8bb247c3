"""States of a dispatch and the transitions that are allowed between them."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a dispatch stands; each state is explained in docs/executor.md."""

    PLANNED = "planned"
    INTENT = "intent"
    SENT = "sent"
    RUNNING = "running"
    UNKNOWN = "unknown"
    DONE = "done"
    FAILED = "failed"
    MISSED = "missed"
    CANCELLED = "cancelled"
    BLOCKED = "blocked"
    WITHDRAWN = "withdrawn"


_SAID = "or a person says so where nobody can look it up"

TRANSITIONS: dict[State, dict[State, str]] = {
    State.PLANNED: {
        State.PLANNED: (
            "a newer plan of the date moves it, or the user holds or releases it"
        ),
        State.INTENT: "it is due and about to be sent",
        State.FAILED: "it can never be sent: no such back end, unusable order",
        State.MISSED: (
            "its time has passed, perhaps while it was held, and its rule or deadline "
            "forbids a late run"
        ),
        State.CANCELLED: "the user cancels it",
        State.BLOCKED: "a job that it depends on will not be done",
        State.WITHDRAWN: "a newer plan of the date leaves it out",
    },
    State.INTENT: {
        State.SENT: "the back end took it",
        State.PLANNED: "the back end surely did not take it; tried again later",
        State.FAILED: "the back end refused it for good",
        State.UNKNOWN: "the answer was lost, or the executor ended before storing it",
    },
    State.UNKNOWN: {
        State.SENT: "looked up by its key and found",
        State.RUNNING: "looked up by its key and found running",
        State.DONE: f"looked up by its key and found finished, {_SAID}",
        State.FAILED: f"looked up by its key and found failed, {_SAID}",
        State.INTENT: "surely never taken; sent again under the same key",
        State.MISSED: "surely never taken, and too late to be sent again",
        State.CANCELLED: (
            "looked up by its key and found cancelled, or surely never taken and "
            "cancelled by the user"
        ),
        State.UNKNOWN: "told to end: the user cancels it",
    },
    State.SENT: {
        State.SENT: "told to end: the user cancels it",
        State.RUNNING: "the back end says that it runs",
        State.DONE: f"it ended with exit status 0, {_SAID}",
        State.FAILED: f"it ended otherwise, {_SAID}",
        State.UNKNOWN: "the back end cannot tell what became of it",
        State.CANCELLED: "it was cancelled",
    },
    State.RUNNING: {
        State.RUNNING: "told to end: the user cancels it, or it is over its time limit",
        State.DONE: f"it ended with exit status 0, {_SAID}",
        State.FAILED: f"it ended otherwise, {_SAID}",
        State.UNKNOWN: "the back end cannot tell what became of it",
        State.CANCELLED: "it was cancelled",
    },
    State.MISSED: {
        State.PLANNED: (
            "a newer plan of the date gives it a new time, or the user has it tried "
            "again"
        )
    },
    State.WITHDRAWN: {State.PLANNED: "a newer plan of the date holds it again"},
    State.BLOCKED: {
        State.PLANNED: (
            "a newer plan of the date holds it again, or what it depends on is tried "
            "again"
        )
    },
    State.DONE: {},
    State.FAILED: {},
    State.CANCELLED: {},
}
"""From each state, the states that may follow and what each step means."""

FINAL = frozenset(
    {
        State.DONE,
        State.FAILED,
        State.MISSED,
        State.CANCELLED,
        State.BLOCKED,
        State.WITHDRAWN,
    }
)
"""Nothing more is done by itself; only a newer plan brings back what never ran."""

LIVE = frozenset({State.INTENT, State.SENT, State.RUNNING, State.UNKNOWN})
"""The back end holds it, or may hold it."""

REPLANNABLE = frozenset({State.PLANNED, State.MISSED, State.WITHDRAWN, State.BLOCKED})
"""Surely never sent, so a newer plan of the date decides anew."""


def allowed(before: State, after: State) -> bool:
    """Whether the step from one state to another stands in ``TRANSITIONS``."""
    return after in TRANSITIONS[before]

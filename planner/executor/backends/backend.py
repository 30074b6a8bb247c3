"""The contract that every back end keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from planner.executor.energy import Energy


class Phase(StrEnum):
    """What a back end says about a key."""

    WAITING = "waiting"
    """Taken, not begun yet."""
    RUNNING = "running"
    DONE = "done"
    """Ended with exit status 0."""
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABSENT = "absent"
    """Not there. After ``settle`` this means: surely never taken."""
    LOST = "lost"
    """It was there; what became of it cannot be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """All that a back end is told about one dispatch.

    Parameters
    ----------
    key
        Identity of the dispatch; safe as a file name and as a name in any back end.
    command
        argv; data, never to be read by a shell or as options of the back end.
    env
        Variables that the job asks for, with those that tell it about its place
        in the plan.
    timeout_s
        Longest running time, None for no limit. [s]
    resources, labels, image
        As the job states them; a back end uses what it knows.
    """

    key: str
    job_id: str
    segment: int
    region: str
    replicas: int
    start: datetime
    end: datetime
    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    timeout_s: float | None = None
    resources: dict[str, float] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    image: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A back end's answer about one key.

    Parameters
    ----------
    handle
        The back end's own name for it; a hint, the key is what counts.
    started_at, ended_at
        When the job itself began and ended, as far as known.
    exit_code, reason
        How it ended; the reason is one line for people.
    energy
        What was told of its energy; only with an end, None if nothing was.
    """

    phase: Phase
    handle: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    reason: str | None = None
    energy: Energy | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Logs:
    """Where the output of a dispatch is; None where there is none yet."""

    stdout: Path | str | None
    stderr: Path | str | None


class Backend(Protocol):
    """Something that runs jobs when told to.

    A back end promises:

    - ``submit`` and ``look_up`` go by ``order.key``: what one of them stored is
      found by the other, from any process, after any crash;
    - an error class tells the truth about whether the order was taken, see
      ``submit``; when in doubt it is ``UncertainError``;
    - no verb waits for the job itself, and each returns within a stated limit;
    - nothing of an order is read as an option, a path or a shell word.
    """

    @property
    def name(self) -> str:
        """Name under which plans ask for it."""
        ...

    @property
    def settle(self) -> timedelta:
        """How long after a sending an absent key may still turn up."""
        ...

    @property
    def refuses_repeats(self) -> bool:
        """Whether a key that once began can never begin again, however long ago.

        Only then is a key sent again that the back end had already taken but
        never began.
        """
        ...

    @property
    def at_once(self) -> int:
        """How many calls it takes side by side, each from a thread of its own.

        1 if it is called from one thread alone.
        """
        ...

    def submit(self, order: Order) -> Report:
        """Hand over an order; returns once the back end has taken it.

        Raises
        ------
        RejectedError
            Surely not taken, and it would be refused again.
        NotTakenError
            Surely not taken, for a reason that may pass.
        UncertainError
            It may have been taken: the executor will look it up by its key.
        """
        ...

    def look_up(self, key: str) -> Report:
        """What became of a key, by the key alone.

        Raises
        ------
        BackendError
            If it cannot be told now; the dispatch stays unknown.
        """
        ...

    def status(self, key: str, handle: str | None) -> Report:
        """How a taken order stands; may use the handle to be quick.

        Raises
        ------
        BackendError
            If it cannot be told now; the dispatch stays as it is.
        """
        ...

    def cancel(self, key: str, handle: str | None) -> Report:
        """Ask for the end of a dispatch; a key not begun is closed for good.

        Raises
        ------
        BackendError
            If the wish could not be passed on.
        """
        ...

    def logs(self, key: str, handle: str | None) -> Logs:
        """Where the output is kept."""
        ...

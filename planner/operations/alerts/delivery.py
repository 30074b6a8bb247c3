"""From incidents to messages that were delivered, within a bound.

Every channel is served by a thread of its own, and all together are waited for no
longer than the bound: what has not gone by then goes with a later run.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from planner.executor.backends.deadline import CallLimits
from planner.operations.alerts.channel import Channel, channel_of, secrets_of
from planner.operations.alerts.memory import Claimed, opened
from planner.operations.alerts.message import MOST, Message, Notice
from planner.operations.errors import AlertError, AlertRefusedError
from planner.operations.incidents import Incident, Level, Trouble
from planner.operations.redaction import Redactor

if TYPE_CHECKING:
    from inputs.settings_operations import AlertTable

BOUND_S = 10.0
"""Longest that a run waits for its alerts. [s]"""

LIMITS = CallLimits(connect_s=3.0, silent_s=5.0, total_s=8.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The alerts of a site.

    Parameters
    ----------
    alerts
        Tables of planner.toml.
    memory
        File of what was told.
    environ
        Holds the channels' secrets.
    site
        Name of the site in messages.
    log
        Told of what cannot be delivered.
    limits
        How long a channel may take.
    rng
        Where the spread of waits comes from.
    """

    alerts: Sequence[AlertTable]
    memory: Path
    environ: Mapping[str, str] = field(repr=False)
    site: str | None
    log: Callable[[Incident], None]
    limits: CallLimits = LIMITS
    rng: Random = field(default_factory=Random)

    def told(self, site: str) -> int | None:
        """Number of the last step of a site's ledger that was told; None if none was.

        Raises
        ------
        sqlite3.Error, OSError
            If it cannot be known.
        """
        with opened(self.memory, rng=self.rng) as memory:
            return memory.told(site)

    def tell(
        self,
        incidents: Iterable[Incident],
        *,
        now: datetime,
        bound_s: float = BOUND_S,
        up_to: tuple[str, int] | None = None,
    ) -> None:
        """Take in incidents, and send what is due, also from earlier runs.

        Parameters
        ----------
        up_to
            Site and step of its ledger up to which incidents are told by that.

        Raises
        ------
        sqlite3.Error, OSError
            If nothing can be remembered; then nothing is sent, for it could be sent
            every minute.
        """
        if not self.alerts:
            return
        self._take_in(list(incidents), now, up_to)
        calls = [_Call(self, alert, name, now) for name, alert in _named(self.alerts)]
        ends = time.monotonic() + bound_s
        for call in calls:
            call.start()
        for call in calls:
            call.join(max(0.0, ends - time.monotonic()))
            for incident in call.found():
                self.log(incident)

    def totals(self) -> dict[tuple[str, str], int]:
        """Number of messages by channel and outcome."""
        if not self.memory.exists():
            return {}
        with opened(self.memory, rng=self.rng) as memory:
            return memory.totals()

    def _take_in(
        self, incidents: list[Incident], now: datetime, up_to: tuple[str, int] | None
    ) -> None:
        redact = Redactor(
            self.environ,
            [text for alert in self.alerts for text in secrets_of(alert, self.environ)],
        )
        with opened(self.memory, rng=self.rng) as memory:
            memory.forget(now=now)
            for name, alert in _named(self.alerts):
                wanted = (
                    (f"{one.code}\n{one.subject}", _notice(one, redact))
                    for one in incidents
                    if wants(alert, one)
                )
                memory.add(name, wanted, repeat=alert.repeat)
            # Last: who is killed before takes them in again, as the same trouble.
            if up_to is not None:
                memory.note_told(*up_to)

    def serve(self, alert: AlertTable, name: str, now: datetime) -> Incident | None:
        """Send what is due for one channel; what went wrong, if anything did."""
        with opened(self.memory, rng=self.rng) as memory:
            claimed = memory.claim(name, now=now, per_hour=alert.per_hour)
            fault = None if claimed is None else self._fault(alert, claimed, now)
            if claimed is None:
                return None
            if fault is None:
                memory.sent(name, claimed, now=now)
                return None
            for_good = isinstance(fault, AlertRefusedError)
            lost = memory.failed(name, claimed, now=now, for_good=for_good)
        return _undelivered(name, str(fault), lost, now)

    def _fault(
        self, alert: AlertTable, claimed: Claimed, now: datetime
    ) -> AlertError | None:
        channel: Channel = channel_of(alert, self.environ)
        try:
            channel.send(_message(claimed, site=self.site, now=now), self.limits)
        except AlertError as error:
            return error
        return None


class _Call(threading.Thread):
    """One channel served; what goes wrong is kept for who waits."""

    def __init__(self, post: Post, alert: AlertTable, name: str, now: datetime) -> None:
        super().__init__(name=f"alert-{name}", daemon=True)
        self._post, self._alert, self._name, self._now = post, alert, name, now
        self._found: Incident | None = None

    def run(self) -> None:
        """Serve the channel; alerting must never end a run, whatever happens."""
        try:
            self._found = self._post.serve(self._alert, self._name, self._now)
        except Exception as error:
            why = f"unexpected {type(error).__name__}"
            self._found = _undelivered(self._name, why, 0, self._now)

    def found(self) -> Iterator[Incident]:
        """What went wrong so far."""
        if self.is_alive():
            yield _undelivered(self._name, "no answer in time", 0, self._now)
        elif self._found is not None:
            yield self._found


def _undelivered(name: str, why: str, lost: int, now: datetime) -> Incident:
    then = f"; {lost} given up" if lost else "; tried again later"
    return Incident(
        code="alert-given-up" if lost else "alert-failed",
        level=Level.ERROR if lost else Level.WARNING,
        message=f"alert over {name} was not delivered: {why}{then}",
        at=now,
        subject=name,
        facts={"channel": name, "given_up": lost},
    )


def _named(alerts: Sequence[AlertTable]) -> Iterator[tuple[str, AlertTable]]:
    """Channels by the name that they are given, or kind and place in planner.toml."""
    for number, alert in enumerate(alerts, start=1):
        yield alert.name or f"{alert.kind}-{number}", alert


def wants(alert: AlertTable, incident: Incident) -> bool:
    """Whether a channel is to be told of an incident."""
    if incident.trouble is None or incident.trouble.value not in alert.on:
        return False
    if incident.trouble is not Trouble.BUDGET:
        return True
    share = incident.facts.get("share")
    return isinstance(share, float) and share >= alert.budget_share


def _notice(incident: Incident, redact: Redactor) -> Notice:
    assert incident.trouble is not None
    return Notice(
        id="",
        trouble=incident.trouble.value,
        code=incident.code,
        text=redact(incident.message),
        at=incident.at,
        facts={
            key: redact(value) if isinstance(value, str) else value
            for key, value in incident.facts.items()
        },
    )


def _message(claimed: Claimed, *, site: str | None, now: datetime) -> Message:
    ids = "\n".join(notice.id for notice in claimed.notices)
    return Message(
        id=sha256(ids.encode()).hexdigest()[:32],
        site=site,
        at=now,
        notices=claimed.notices[:MOST],
        more=max(0, len(claimed.notices) - MOST),
    )

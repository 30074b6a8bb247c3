"""What was to be told, to whom, and whether it was: remembered between runs.

A small SQLite file below the outputs, so that cron's runs and several commands share
it. It is no part of the ledger: losing it means at worst being told twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

from planner.operations.alerts.message import Notice
from planner.operations.alerts.tables import SCHEMA

ATTEMPTS = 6
"""Sendings of one notice before it is given up."""

FIRST_WAIT = timedelta(minutes=1)
"""After the first failure; doubled after each, half of it at random."""

CLAIM = timedelta(minutes=2)
"""How long a notice belongs to who is sending it."""

KEPT = timedelta(days=30)
BUSY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """Notices that this process may send now.

    Parameters
    ----------
    numbers
        Where they stand in the memory.
    """

    numbers: tuple[int, ...]
    notices: tuple[Notice, ...]


class Memory:
    """Notices of every channel."""

    def __init__(self, connection: sqlite3.Connection, rng: Random) -> None:
        self._connection = connection
        self._rng = rng

    def add(
        self,
        channel: str,
        notices: Iterable[tuple[str, Notice]],
        *,
        repeat: timedelta,
    ) -> int:
        """Take in notices, each unless the same trouble was taken in lately.

        Parameters
        ----------
        channel
            Who is to be told.
        notices
            Each after what is the same for the same trouble.
        repeat
            How long the same trouble is not told again.

        Returns
        -------
        int
            How many will be told.
        """
        with self._transaction() as run:
            return sum(
                self._add_one(run, channel, fingerprint, notice, repeat)
                for fingerprint, notice in notices
            )

    def _add_one(
        self,
        run: sqlite3.Connection,
        channel: str,
        fingerprint: str,
        notice: Notice,
        repeat: timedelta,
    ) -> bool:
        at = _seconds(notice.at)
        known = run.execute(
            "select sequence from notices where channel = ? and fingerprint = ? "
            "and at > ? and at <= ? order by at desc limit 1",
            (channel, fingerprint, at - repeat.total_seconds(), at),
        ).fetchone()
        if known is not None:
            run.execute(
                "update notices set repeats = repeats + 1 where sequence = ?", known
            )
            return False
        facts = json.dumps(dict(notice.facts), default=str)
        run.execute(
            "insert into notices "
            "(channel, fingerprint, trouble, code, text, facts, at, next_at) "
            "values (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(channel, fingerprint, notice.trouble, notice.code),
                *(notice.text, facts, at, at),
            ),
        )
        return True

    def claim(self, channel: str, *, now: datetime, per_hour: int) -> Claimed | None:
        """Notices that are due for a channel, for this process alone.

        None if nothing is due, or if the channel was used too often in the last hour:
        they wait and go together later.
        """
        at = _seconds(now)
        with self._transaction() as run:
            used = run.execute(
                "select count(*) from sendings where channel = ? and at > ? "
                "and at <= ?",
                (channel, at - 3600, at),
            ).fetchone()[0]
            if used >= per_hour:
                return None
            rows = run.execute(
                "select sequence, trouble, code, text, facts, at from notices "
                "where channel = ? and state = 'waiting' and next_at <= ? "
                "order by sequence",
                (channel, at),
            ).fetchall()
            run.executemany(
                "update notices set next_at = ? where sequence = ?",
                [(at + CLAIM.total_seconds(), row[0]) for row in rows],
            )
        if not rows:
            return None
        return Claimed(
            numbers=tuple(row[0] for row in rows),
            notices=tuple(_notice(channel, row) for row in rows),
        )

    def sent(self, channel: str, claimed: Claimed, *, now: datetime) -> None:
        """Note that notices were delivered."""
        with self._transaction() as run:
            self._close(run, claimed.numbers, "sent")
            self._count(run, channel, "sent", now)

    def failed(
        self, channel: str, claimed: Claimed, *, now: datetime, for_good: bool
    ) -> int:
        """Note that notices were not delivered.

        Returns
        -------
        int
            How many are given up by that.
        """
        with self._transaction() as run:
            marks = ", ".join("?" for _ in claimed.numbers)
            run.execute(
                "update notices set attempts = attempts + 1 "
                f"where sequence in ({marks})",
                claimed.numbers,
            )
            rows = run.execute(
                f"select sequence, attempts from notices where sequence in ({marks})",
                claimed.numbers,
            ).fetchall()
            over = [n for n, attempts in rows if for_good or attempts >= ATTEMPTS]
            self._close(run, over, "given_up")
            for number, attempts in rows:
                wait_s = FIRST_WAIT.total_seconds() * 2.0 ** (attempts - 1)
                wait_s *= 0.5 + 0.5 * self._rng.random()
                run.execute(
                    "update notices set next_at = ? where sequence = ?",
                    (_seconds(now) + wait_s, number),
                )
            self._count(run, channel, "given_up" if over else "failed", now)
        return len(over)

    def told(self, site: str) -> int | None:
        """Number of the last step of a site's ledger that was taken in, if any was."""
        row = self._connection.execute(
            "select step from told where site = ?", (site,)
        ).fetchone()
        return None if row is None else int(row[0])

    def note_told(self, site: str, step: int) -> None:
        """Note that all steps of a site's ledger up to one were taken in."""
        with self._transaction() as run:
            run.execute("insert or replace into told values (?, ?)", (site, step))

    def totals(self) -> dict[tuple[str, str], int]:
        """Number of messages by channel and outcome, for ever."""
        rows = self._connection.execute(
            "select channel, outcome, number from totals order by channel, outcome"
        )
        return {(channel, outcome): number for channel, outcome, number in rows}

    def forget(self, *, now: datetime) -> None:
        """Drop what is of no more use."""
        with self._transaction() as run:
            before = _seconds(now - KEPT)
            run.execute(
                "delete from notices where at < ? and state <> 'waiting'", (before,)
            )
            run.execute("delete from sendings where at < ?", (before,))

    def _close(
        self, run: sqlite3.Connection, numbers: Sequence[int], state: str
    ) -> None:
        run.executemany(
            "update notices set state = ? where sequence = ?",
            [(state, number) for number in numbers],
        )

    def _count(
        self, run: sqlite3.Connection, channel: str, outcome: str, now: datetime
    ) -> None:
        run.execute(
            "insert into sendings (channel, outcome, at) values (?, ?, ?)",
            (channel, outcome, _seconds(now)),
        )
        run.execute(
            "insert into totals (channel, outcome, number) values (?, ?, 1) "
            "on conflict (channel, outcome) do update set number = number + 1",
            (channel, outcome),
        )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._connection.execute("begin immediate")
        try:
            yield self._connection
        except BaseException:
            self._connection.execute("rollback")
            raise
        self._connection.execute("commit")


@contextmanager
def opened(path: Path, *, rng: Random) -> Iterator[Memory]:
    """The memory of a site; made if there is none.

    Parameters
    ----------
    path
        Its file.
    rng
        Where the spread of waits comes from.

    Raises
    ------
    sqlite3.Error, OSError
        If it cannot be used.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        connection.executescript(SCHEMA)
        yield Memory(connection, rng)
    finally:
        connection.close()


def _notice(channel: str, row: tuple[int, str, str, str, str, float]) -> Notice:
    number, trouble, code, text, facts, at = row
    return Notice(
        id=sha256(f"{channel}\n{number}\n{at}\n{code}".encode()).hexdigest()[:32],
        trouble=trouble,
        code=code,
        text=text,
        at=datetime.fromtimestamp(at, UTC),
        facts=json.loads(facts),
    )


def _seconds(at: datetime) -> float:
    return at.astimezone(UTC).timestamp()

"""A ledger in one SQLite file, for executors of one host."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from planner.executor.errors import (
    LedgerBusyError,
    LedgerConstraintError,
    LedgerDamagedError,
    LedgerError,
)
from planner.executor.store import Row
from planner.executor.untouched import note_as_left

APPLICATION_ID = 0x63625031
"""Marks the file as a ledger of this program ("cbP1")."""

LOCK = "ledger.lock"


class SqliteStore:
    """See ``planner.executor.store.Store``.

    Parameters
    ----------
    connection
        In autocommit mode.
    path
        The file; None for a ledger in memory.
    name
        What it is called in messages, if not by its path.
    """

    shared = False

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        path: Path | None,
        name: str | None = None,
    ) -> None:
        self.path = path
        self._name = name or str(path)
        self.checked_us: int | None = None
        """When the file was last checked whole, None if that does not count."""
        self._connection = connection

    @property
    def name(self) -> str:
        """The file."""
        return self._name

    @property
    def marker_folder(self) -> Path | None:
        """The folder of the file."""
        return None if self.path is None else self.path.parent

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return self._connection.in_transaction

    def query(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Rows of one reading statement."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._told(error) from error

    def stream(self, sql: str) -> Iterator[Row]:
        """Rows of one reading statement, without holding them all."""
        try:
            yield from self._connection.execute(sql)
        except sqlite3.DatabaseError as error:
            raise self._told(error) from error

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run one writing statement; the number of rows that it changed."""
        try:
            return self._connection.execute(sql, values).rowcount
        except sqlite3.DatabaseError as error:
            raise self._told(error) from error

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one writing statement for many rows."""
        try:
            self._connection.executemany(sql, rows)
        except sqlite3.DatabaseError as error:
            raise self._told(error) from error

    def begin(self) -> None:
        """Open a transaction and take the file's one write lock at once."""
        self.execute("begin immediate")

    def commit(self) -> None:
        """Make it durable."""
        self.execute("commit")

    def rollback(self) -> None:
        """Undo it."""
        if self._connection.in_transaction:
            self._connection.execute("rollback")

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[bool]:
        """Hold ``ledger.lock``, which the kernel frees when the process ends."""
        if self.path is None:
            yield True
            return
        with locked(self.path.with_name(LOCK), wait=False) as held:
            yield held

    def version(self) -> int:
        """Version of the tables; 0 for an empty file."""
        version: int = self.query("pragma user_version")[0][0]
        return version

    def set_version(self, version: int) -> None:
        """Note the version, and that the file is a ledger."""
        self.execute(f"pragma application_id = {APPLICATION_ID}")
        self.execute(f"pragma user_version = {version}")

    def ddl(self, statement: str) -> str:
        """Migrations are written in SQLite's words."""
        return statement

    def problems(self) -> list[str]:
        """SQLite's own check of every page, index and reference."""
        verdicts = [row[0] for row in self.query("pragma integrity_check")]
        orphans = self.query("pragma foreign_key_check")
        return [verdict for verdict in verdicts if verdict != "ok"] + [
            f"{table}, row {number}: its entry in {parent} is gone"
            for table, number, parent, _ in orphans
        ]

    def backup(self, copy: Path) -> None:
        """Write a copy of what was committed last, replacing what is there."""
        assert self.path is not None
        copy.unlink(missing_ok=True)
        # A connection that writes cannot be copied from: another one reads.
        with (
            sqlite_errors(copy),
            contextlib.closing(sqlite3.connect(self.path)) as source,
            contextlib.closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)

    def copy_into(self, other: SqliteStore) -> None:
        """Copy the file as it is, page by page."""
        with sqlite_errors(self.path):
            self._connection.backup(other._connection)

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()
        if self.path is not None and self.checked_us is not None:
            note_as_left(self.path, checked_us=self.checked_us)

    def _told(self, error: sqlite3.DatabaseError) -> LedgerError:
        told = _in_our_words(error, self.path)
        if isinstance(told, LedgerDamagedError):
            self.checked_us = None
        return told


@contextlib.contextmanager
def sqlite_errors(path: Path | None) -> Iterator[None]:
    """Say in this program's words why the ledger could not be read or written."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise _in_our_words(error, path) from error


def _in_our_words(error: sqlite3.DatabaseError, path: Path | None) -> LedgerError:
    if isinstance(error, sqlite3.IntegrityError):
        return LedgerConstraintError(f"{path}: {error}")
    if not isinstance(error, sqlite3.OperationalError):
        return LedgerDamagedError(
            f"{path} is damaged ({error}); nothing is sent. Restore it from a copy"
        )
    if "locked" in str(error) or "busy" in str(error):
        return LedgerBusyError(
            f"{path}: another process held the ledger for too long; nothing was "
            "sent without a record, the next run goes on"
        )
    return LedgerError(f"{path}: {error}")


@contextlib.contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[bool]:
    """Hold a lock file; yields False if it is held and one may not wait."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(handle)

"""A ledger in a PostgreSQL database, for executors of several hosts.

Writers follow one another: each transaction first locks the one row of ``lease``, as
SQLite locks its file, so that reading the lease number and writing under it cannot
be torn apart. The executor at work holds an advisory lock of its session.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from planner.executor.errors import (
    LedgerBusyError,
    LedgerConstraintError,
    LedgerDamagedError,
    LedgerError,
    LedgerLostError,
    LedgerPlaceError,
)
from planner.executor.schema import copy_rows
from planner.executor.store import Row

if TYPE_CHECKING:
    import psycopg

    from planner.executor.store_sqlite import SqliteStore

LOCK_CLASS = 0x63625031
"""First half of every advisory lock of this program ("cbP1")."""


class PostgresStore:
    """See ``planner.executor.store.Store``.

    Parameters
    ----------
    connection
        In autocommit mode, to the server itself: a pooler that hands out another
        session for each transaction would lose the lock.
    name
        Host and database, for messages.
    marker_folder
        Where this host notes what it last saw.
    """

    shared = True

    def __init__(
        self,
        connection: psycopg.Connection[Row],
        *,
        name: str,
        marker_folder: Path | None,
    ) -> None:
        self._connection = connection
        self._name = name
        self._marker_folder = marker_folder
        self._session: int | None = None

    @property
    def name(self) -> str:
        """Host and database."""
        return self._name

    @property
    def marker_folder(self) -> Path | None:
        """Where this host notes what it last saw."""
        return self._marker_folder

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open; none is on a lost connection."""
        from psycopg.pq import TransactionStatus

        open_states = (TransactionStatus.INTRANS, TransactionStatus.INERROR)
        return self._connection.info.transaction_status in open_states

    def query(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Rows of one reading statement."""
        with postgres_errors(self._name):
            return self._connection.execute(_sql(sql), _plain(values)).fetchall()

    def stream(self, sql: str) -> Iterator[Row]:
        """Rows of one reading statement; the driver holds them packed."""
        with postgres_errors(self._name):
            yield from self._connection.execute(_sql(sql))

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run one writing statement; the number of rows that it changed."""
        with postgres_errors(self._name):
            return self._connection.execute(_sql(sql), _plain(values)).rowcount

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one writing statement for many rows."""
        # Made before any is sent: an error of the maker must not cut a pipeline.
        plain = [_plain(row) for row in rows]
        with postgres_errors(self._name), self._connection.cursor() as cursor:
            cursor.executemany(_sql(sql), plain)

    def begin(self) -> None:
        """Open a transaction and lock the one row of ``lease``."""
        self.execute("begin")
        try:
            rows = self.query("select pg_backend_pid() from lease for update")
        except BaseException:
            self.rollback()
            raise
        if len(rows) != 1:
            self.rollback()
            raise LedgerDamagedError(f"{self._name} has {len(rows)} leases, not one")
        if self._session is not None and rows[0][0] != self._session:
            self.rollback()
            raise LedgerPlaceError(
                f"{self._name} is reached through a pooler that changes sessions, "
                "where locks cannot be relied on; name the server itself"
            )

    def begin_making(self) -> None:
        """Open a transaction in which tables are made or upgraded, by one at a time."""
        self.execute("begin")
        try:
            self.query("select pg_advisory_xact_lock(?, 0)", (LOCK_CLASS,))
        except BaseException:
            self.rollback()
            raise

    def commit(self) -> None:
        """Make it durable; returns when the server has said that it is."""
        self.execute("commit")

    def rollback(self) -> None:
        """Undo it; on a lost connection the server does that by itself."""
        if self.in_transaction:
            with contextlib.suppress(LedgerError):
                self.execute("rollback")

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[bool]:
        """Hold an advisory lock, which the server frees when the session ends."""
        lock = "(?, cast(cast('lease' as regclass) as oid)::int)"
        held, self._session = self.query(
            f"select pg_try_advisory_lock{lock}, pg_backend_pid()", (LOCK_CLASS,)
        )[0]
        try:
            yield held
        finally:
            self._session = None
            if held:
                with contextlib.suppress(LedgerError):
                    self.query(f"select pg_advisory_unlock{lock}", (LOCK_CLASS,))

    def version(self) -> int:
        """Version of the tables; 0 where there are none."""
        # Not to_regclass: it may remember from before a lock that there was none.
        there = self.query(
            "select 1 from pg_tables where tablename = 'ledger_version' "
            "and schemaname = any (current_schemas(false))"
        )
        if not there:
            return 0
        version: int = self.query("select number from ledger_version")[0][0]
        return version

    def set_version(self, version: int) -> None:
        """Note the version in a table of its own."""
        self.execute("create table if not exists ledger_version (number int not null)")
        self.execute("delete from ledger_version")
        self.execute("insert into ledger_version values (?)", (version,))

    def ddl(self, statement: str) -> str:
        """Numbers drawn by the server, and text ordered by its bytes."""
        drawn = "bigint generated by default as identity primary key"
        return statement.replace("integer not null primary key", drawn).replace(
            " text", ' text collate "C"'
        )

    def problems(self) -> list[str]:
        """Rules that are switched off; damage of pages shows when they are read."""
        rows = self.query(
            "select conrelid::regclass::text, conname from pg_constraint "
            "where not convalidated and connamespace = current_schema()::regnamespace"
        )
        return [f"{table}: its rule {name} was never checked" for table, name in rows]

    def copy_into(self, other: SqliteStore) -> None:
        """Copy every table, all as of one instant; nobody waits for that."""
        self.execute("begin isolation level repeatable read read only")
        try:
            copy_rows(self, other)
        finally:
            self.rollback()

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


@contextlib.contextmanager
def postgres_errors(name: str) -> Iterator[None]:
    """Say in this program's words why the ledger could not be read or written."""
    from psycopg import errors

    try:
        yield
    except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
        raise LedgerBusyError(
            f"{name}: another process held the ledger for too long; nothing was "
            "sent without a record, the next run goes on"
        ) from error
    except errors.IntegrityError as error:
        raise LedgerConstraintError(f"{name}: {_line(error)}") from error
    except (errors.DataCorrupted, errors.IndexCorrupted, errors.UndefinedTable) as bad:
        raise LedgerDamagedError(
            f"{name} is damaged ({_line(bad)}); nothing is sent. Restore it from a copy"
        ) from bad
    except errors.ReadOnlySqlTransaction as error:
        raise LedgerPlaceError(
            f"{name} may only be read ({_line(error)}); name the server that is "
            "written to"
        ) from error
    except (errors.OperationalError, errors.InterfaceError) as error:
        if error.sqlstate is not None and error.sqlstate[:2] in ("53", "58"):
            raise LedgerError(f"{name}: {_line(error)}") from error
        raise LedgerLostError(
            f"{name}: the connection was lost ({_line(error)}); nothing more is "
            "sent, the next run goes by what the server has stored"
        ) from error
    except errors.Error as error:
        raise LedgerError(f"{name}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__


def _sql(sql: str) -> bytes:
    return sql.replace("%", "%%").replace("?", "%s").encode()


def _plain(values: Sequence[object]) -> list[object]:
    return [_value(value) for value in values]


def _value(value: object) -> object:
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, str):
        # The server's text cannot hold this one character.
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")
    return value

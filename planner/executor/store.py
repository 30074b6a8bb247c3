"""What keeps a ledger: the few things in which databases differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from planner.executor.store_sqlite import SqliteStore

Row = tuple[Any, ...]


class Store(Protocol):
    """A database that keeps one ledger.

    SQL is given with ``?`` for values and keeps to what SQLite and PostgreSQL
    share; what is left of dialects, ``ddl`` and the verbs below hide. Every verb
    raises the ledger's own errors (``planner.executor.errors``), never a driver's.
    """

    @property
    def name(self) -> str:
        """Where it is, for messages; without any secret."""
        ...

    @property
    def marker_folder(self) -> Path | None:
        """Where this host notes what it last saw; None for a ledger in memory."""
        ...

    @property
    def shared(self) -> bool:
        """Whether executors of several hosts may use it."""
        ...

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        ...

    def query(self, sql: str, values: Sequence[object] = ()) -> list[Row]:
        """Rows of one reading statement."""
        ...

    def stream(self, sql: str) -> Iterator[Row]:
        """Rows of one reading statement, without holding them all."""
        ...

    def execute(self, sql: str, values: Sequence[object] = ()) -> int:
        """Run one writing statement; the number of rows that it changed."""
        ...

    def execute_many(self, sql: str, rows: Iterable[Sequence[object]]) -> None:
        """Run one writing statement for many rows."""
        ...

    def begin(self) -> None:
        """Open a transaction beside which nobody else writes.

        Raises
        ------
        LedgerBusyError
            If another process wrote for longer than one may wait.
        """
        ...

    def commit(self) -> None:
        """Make it durable; returns when it is.

        Raises
        ------
        LedgerLostError
            If it is not known whether it was: what is stored decides, at the next
            opening.
        """
        ...

    def rollback(self) -> None:
        """Undo it; never raises, the transaction is over in any case."""
        ...

    def exclusive(self) -> AbstractContextManager[bool]:
        """Be the one executor at work; yields False if another one is.

        Freed by the kernel or the server when this process or its connection ends.
        """
        ...

    def version(self) -> int:
        """Version of the tables; 0 where there are none."""
        ...

    def set_version(self, version: int) -> None:
        """Note the version of the tables, in the open transaction."""
        ...

    def ddl(self, statement: str) -> str:
        """A statement of a migration in this database's own words."""
        ...

    def problems(self) -> list[str]:
        """Damage that the database itself can find, one sentence each."""
        ...

    def copy_into(self, other: SqliteStore) -> None:
        """Copy all that is stored at one instant into an empty one in memory."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...

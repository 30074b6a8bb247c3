"""Looking at a ledger without writing anything, and rehearsing on a copy of it.

A ledger of an earlier version is looked at as it would be after its upgrade, in a copy
that this process alone sees.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from datetime import datetime
from pathlib import Path

from planner.executor.errors import LedgerBusyError, LedgerDamagedError
from planner.executor.file_systems import mount_table
from planner.executor.ledger import Ledger
from planner.executor.ledger_file import (
    LEDGER,
    check_file,
    open_file,
    refuse_network,
)
from planner.executor.marker import (
    compare_with_marker,
    refuse_if_it_existed,
    remembers,
)
from planner.executor.schema import VERSION, fill, migrate
from planner.executor.store import Store
from planner.executor.store_sqlite import SqliteStore
from planner.executor.untouched import looks

_TRIES = 5


def read_ledger(folder: Path, *, url: str | None, now: datetime) -> Ledger:
    """A ledger that can only be read; an empty one if there is none yet.

    Parameters
    ----------
    folder
        Where the file lies, or where this host notes what it saw of the server's.
    url
        Address of the server's database; None for the file.
    now
        The clock, aware.

    Raises
    ------
    LedgerError
        If it cannot be reached or trusted.
    """
    remembered = remembers(folder)
    found = _file(folder, now) if url is None else _server(url, folder)
    if isinstance(found, str):
        if remembered:
            refuse_if_it_existed(folder, found)
        return new_in_memory(now=now)
    try:
        if found.version() < VERSION:
            ledger = copied(found)
            found.close()
        else:
            ledger = Ledger(found)
        compare_with_marker(ledger, folder, note=False)
    except BaseException:
        found.close()
        raise
    return ledger


def new_in_memory(*, now: datetime) -> Ledger:
    """An empty ledger that is gone when it is closed, for rehearsals."""
    store = _in_memory("ledger in memory")
    store.begin()
    fill(store, site="rehearsal", now=now)
    store.commit()
    return Ledger(store)


def copied(source: Store) -> Ledger:
    """A copy in memory, of the newest version, to rehearse on; gone when closed.

    Nobody waits for it: the executor may be at work meanwhile.
    """
    store = _in_memory(source.name)
    store.shared = source.shared
    source.copy_into(store)
    migrate(store)
    return Ledger(store)


def _in_memory(name: str) -> SqliteStore:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    return SqliteStore(connection, path=None, name=name)


def _file(folder: Path, now: datetime) -> SqliteStore | str:
    """The file, to be read; its name if there is none."""
    path = folder / LEDGER
    if not path.exists():
        return str(path)
    refuse_network(folder, mount_table())
    log = path.with_name(f"{path.name}-wal")
    if log.exists():
        store = open_file(path, "mode=ro")  # which leaves the log as it is
    elif os.access(folder, os.W_OK, effective_ids=True):
        # A reader, too, makes a log; it removes it only if it might write.
        store = open_file(path, "mode=rw")
    else:
        store = _at_rest(path, log)
    try:
        store.execute("pragma query_only = on")
        check_file(store, path, now)
    except BaseException:
        store.checked_us = None
        store.close()
        raise
    store.checked_us = None  # else a note of it would be written
    return store


def _at_rest(path: Path, log: Path) -> SqliteStore:
    """A copy of a file that nobody has open, for users who may write nothing there.

    SQLite reads such a file without any lock if it is told that nobody writes to it;
    whether that was so shows afterwards.
    """
    for _ in range(_TRIES):
        before, store = looks(path), _in_memory(str(path))
        torn: LedgerDamagedError | None = None
        try:
            with contextlib.closing(open_file(path, "mode=ro&immutable=1")) as source:
                source.copy_into(store)
        except LedgerDamagedError as error:
            torn = error
        if looks(path) == before and not log.exists():
            if torn is not None:
                raise torn
            return store
        store.close()
        if log.exists():
            return open_file(path, "mode=ro")
    raise LedgerBusyError(f"{path}: it changed each time it was looked at; try again")


def _server(url: str, folder: Path) -> Store | str:
    """The database, to be read; its name if it holds no ledger."""
    from planner.executor.ledger_server import connect_to_read

    store = connect_to_read(url, folder)
    if store.version() > 0:
        return store
    store.close()
    return store.name

"""Opening the SQLite file of a ledger, or refusing to.

Beside ``ledger.sqlite`` lie ``ledger.marker.json`` (what this host last saw) and
``ledger.lock`` (held by the executor at work; the kernel frees it when that process
ends).
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from planner.executor.errors import (
    LedgerDamagedError,
    LedgerPlaceError,
)
from planner.executor.file_systems import NETWORK, file_system, mount_table
from planner.executor.instants import to_us
from planner.executor.leases import leased as leased
from planner.executor.ledger import Ledger
from planner.executor.marker import (
    compare_with_marker,
    mark,
    refuse_if_it_existed,
    remembers,
)
from planner.executor.schema import (
    MIGRATIONS,
    VERSION,
    fill,
    migrate,
    require_known_version,
)
from planner.executor.store_sqlite import (
    APPLICATION_ID,
    LOCK,
    SqliteStore,
    locked,
    sqlite_errors,
)
from planner.executor.untouched import checked_us

LEDGER = "ledger.sqlite"
BUSY_S = 30.0
CACHE_KIB = 256 << 10
CHECKED_AT_OPENING = 8 << 20
"""Up to this size the whole file is checked when it is opened. [bytes]"""


def open_ledger(
    folder: Path,
    *,
    now: datetime,
    site: str | None = None,
    busy_s: float = BUSY_S,
    mounts: str | None = None,
) -> Ledger:
    """Open the ledger of a folder; the first time, make it.

    Parameters
    ----------
    folder
        Where the ledger lies; made if missing.
    now
        The clock, aware.
    site
        Identity of a new ledger; drawn at random when None.
    busy_s
        How long to wait while another process writes. [s]
    mounts
        Mount table, default the system's.

    Raises
    ------
    LedgerMissingError, LedgerDamagedError, LedgerVersionError, LedgerPlaceError
        If it cannot be trusted. Nothing may be sent then, and nothing was changed.
    """
    path = folder / LEDGER
    remembered = remembers(folder)
    if not path.exists():
        if remembered:
            refuse_if_it_existed(folder, str(path))
        folder.mkdir(parents=True, exist_ok=True)
        refuse_network(folder, mount_table() if mounts is None else mounts)
        _make(path, site=site or secrets.token_hex(8), now=now)
    else:
        refuse_network(folder, mount_table() if mounts is None else mounts)
    store = _connect(path, busy_s=busy_s, now=now)
    try:
        ledger = Ledger(store)
        compare_with_marker(ledger, folder, note=True)
    except BaseException:
        store.close()
        raise
    return ledger


def upgrade(store: SqliteStore, scripts: Sequence[str] = MIGRATIONS) -> None:
    """Newer tables in one step, with a copy of the old ledger kept beside it.

    Nobody else writes or upgrades meanwhile, so that the copy is the old ledger.
    """
    assert store.path is not None
    store.begin()
    try:
        before = store.version()
        if before < len(scripts):
            store.backup(store.path.with_name(f"ledger.v{before}.sqlite"))
            migrate(store, scripts)
        store.commit()
    finally:
        store.rollback()


def open_file(path: Path, how: str, *, busy_s: float = BUSY_S) -> SqliteStore:
    """A file as it is, neither checked nor set up.

    Parameters
    ----------
    how
        Query of SQLite's address of it, such as ``mode=rw``.
    busy_s
        How long to wait while another process writes. [s]
    """
    with sqlite_errors(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?{how}",
            uri=True,
            timeout=busy_s,
            isolation_level=None,
        )
    return SqliteStore(connection, path=path)


def _connect(path: Path, *, busy_s: float, now: datetime) -> SqliteStore:
    store = open_file(path, "mode=rw", busy_s=busy_s)
    try:
        check_file(store, path, now)
        _set_up(store)
        if store.version() < VERSION:
            upgrade(store)
    except BaseException:
        store.close()
        raise
    return store


def _set_up(store: SqliteStore) -> None:
    mode = store.query("pragma journal_mode = wal")[0][0]
    if mode != "wal":
        raise LedgerPlaceError(
            f"{store.path}: this file system does not let SQLite keep a write-ahead "
            "log; put the outputs folder on a local disk"
        )
    store.execute("pragma synchronous = full")
    store.execute("pragma foreign_keys = on")
    # Keys are digests, so their index is written all over: keep it in memory while
    # a large plan is brought in. [KiB]
    store.execute(f"pragma cache_size = -{CACHE_KIB}")
    store.execute("pragma temp_store = memory")


def check_file(store: SqliteStore, path: Path, now: datetime) -> None:
    """Refuse a file that is no ledger, damaged, or newer than this program.

    Raises
    ------
    LedgerDamagedError, LedgerVersionError
        If it is.
    """
    if store.query("pragma application_id")[0][0] != APPLICATION_ID:
        raise LedgerDamagedError(
            f"{path} is not a ledger of this program, or is empty; nothing is sent. "
            "Restore it from a copy"
        )
    require_known_version(store)
    if path.stat().st_size > CHECKED_AT_OPENING:
        return
    checked = checked_us(path, now)
    if checked is None:
        verdict = store.query("pragma quick_check(1)")[0][0]
        if verdict != "ok":
            raise LedgerDamagedError(
                f"{path} is damaged ({verdict}); nothing is sent. Restore it from a "
                "copy"
            )
    store.checked_us = to_us(now) if checked is None else checked


def _make(path: Path, *, site: str, now: datetime) -> None:
    """A new ledger under a temporary name, moved into place when it is whole."""
    with locked(path.with_name(LOCK), wait=True):
        if path.exists():
            return
        refuse_if_it_existed(path.parent, str(path))
        temporary = path.with_name("ledger.new.sqlite")
        for leftover in (temporary, temporary.with_name(f"{temporary.name}-journal")):
            leftover.unlink(missing_ok=True)
        store = SqliteStore(
            sqlite3.connect(temporary, isolation_level=None), path=temporary
        )
        try:
            store.execute("pragma synchronous = extra")
            store.begin()
            fill(store, site=site, now=now)
            store.commit()
        finally:
            store.close()
        temporary.replace(path)
        mark(path.parent, site=site, lease=0)


def refuse_network(folder: Path, mounts: str) -> None:
    """Refuse a folder of another machine, whose locks cannot be relied on.

    Raises
    ------
    LedgerPlaceError
        If it lies on a network file system.
    """
    kind = file_system(folder, mounts)
    if kind in NETWORK:
        raise LedgerPlaceError(
            f"{folder} lies on a network file system ({kind}), where locks cannot be "
            "relied on; put the outputs folder on a local disk"
        )

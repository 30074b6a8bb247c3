"""Opening the SQLite file of a ledger, or refusing to.

Beside ``ledger.sqlite`` lie ``ledger.marker.json`` (a ledger exists, of this site,
last leased under this number) and ``ledger.lock`` (held by the executor at work;
the kernel frees it when that process ends).
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from planner.executor.errors import (
    LedgerDamagedError,
    LedgerMissingError,
    LedgerPlaceError,
    LedgerVersionError,
)
from planner.executor.file_systems import NETWORK, file_system, mount_table
from planner.executor.instants import to_us
from planner.executor.ledger import Ledger, sqlite_errors
from planner.executor.run_folder import read_json, write_json
from planner.executor.schema import APPLICATION_ID, VERSION, migrate, version_of

LEDGER, MARKER, LOCK = "ledger.sqlite", "ledger.marker.json", "ledger.lock"
BUSY_S = 30.0
CACHE_KIB = 256 << 10
CHECKED_AT_OPENING = 8 << 20
"""Up to this size the whole file is checked whenever it is opened. [bytes]"""


def open_ledger(
    folder: Path,
    *,
    now: datetime,
    site: str | None = None,
    busy_s: float = BUSY_S,
    mounts: str | None = None,
    rehearsal: bool = False,
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
    rehearsal
        Leave the disk as it is: a ledger that does not exist yet is made in memory.

    Raises
    ------
    LedgerMissingError, LedgerDamagedError, LedgerVersionError, LedgerPlaceError
        If it cannot be trusted. Nothing may be sent then, and nothing was changed.
    """
    path = folder / LEDGER
    if not path.exists():
        _refuse_if_it_existed(folder)
        if rehearsal:
            return _new_in_memory(now=now)
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_network(folder, mount_table() if mounts is None else mounts)
        _make(path, site=site or secrets.token_hex(8), now=now)
    else:
        _refuse_network(folder, mount_table() if mounts is None else mounts)
    ledger = Ledger(_connect(path, busy_s=busy_s), path=path)
    try:
        _compare_with_marker(ledger, folder)
    except BaseException:
        ledger.close()
        raise
    return ledger


@contextlib.contextmanager
def leased(ledger: Ledger, *, holder: str, now: datetime) -> Iterator[bool]:
    """Be the one executor at work on a ledger while the block lasts.

    Yields
    ------
    bool
        False if another one is at work: nothing may be done then.
    """
    if ledger.path is None:
        yield True
        return
    folder = ledger.path.parent
    with _locked(folder / LOCK, wait=False) as held:
        if held:
            number = ledger.take_lease(holder=holder, at_us=to_us(now))
            _mark(folder, site=ledger.site, lease=number)
        yield held


def _connect(path: Path, *, busy_s: float) -> sqlite3.Connection:
    with sqlite_errors(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=busy_s,
            isolation_level=None,
        )
    try:
        with sqlite_errors(path):
            _check_file(connection, path)
            _set_up(connection, path)
            if version_of(connection) < VERSION:
                _upgrade(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: sqlite3.Connection, path: Path) -> None:
    mode = connection.execute("pragma journal_mode = wal").fetchone()[0]
    if mode != "wal":
        raise LedgerPlaceError(
            f"{path}: this file system does not let SQLite keep a write-ahead log; "
            "put the outputs folder on a local disk"
        )
    connection.execute("pragma synchronous = full")
    connection.execute("pragma foreign_keys = on")
    # Keys are digests, so their index is written all over: keep it in memory while
    # a large plan is brought in. [KiB]
    connection.execute(f"pragma cache_size = -{CACHE_KIB}")
    connection.execute("pragma temp_store = memory")


def _check_file(connection: sqlite3.Connection, path: Path) -> None:
    if connection.execute("pragma application_id").fetchone()[0] != APPLICATION_ID:
        raise LedgerDamagedError(
            f"{path} is not a ledger of this program, or is empty; nothing is sent. "
            "Restore it from a copy"
        )
    found = version_of(connection)
    if found > VERSION:
        raise LedgerVersionError(
            f"{path} has version {found}, this program knows up to {VERSION}; "
            "use the newer program"
        )
    if path.stat().st_size <= CHECKED_AT_OPENING:
        verdict = connection.execute("pragma quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise LedgerDamagedError(
                f"{path} is damaged ({verdict}); nothing is sent. Restore it from a "
                "copy"
            )


def _upgrade(connection: sqlite3.Connection, path: Path) -> None:
    """Newer tables in one step, with a copy of the old ledger kept beside it."""
    copy = path.with_name(f"ledger.v{version_of(connection)}.sqlite")
    with contextlib.closing(sqlite3.connect(copy)) as target:
        connection.backup(target)
    migrate(connection)


def _make(path: Path, *, site: str, now: datetime) -> None:
    """A new ledger under a temporary name, moved into place when it is whole."""
    with _locked(path.with_name(LOCK), wait=True):
        if path.exists():
            return
        _refuse_if_it_existed(path.parent)
        temporary = path.with_name("ledger.new.sqlite")
        for leftover in (temporary, temporary.with_name(f"{temporary.name}-journal")):
            leftover.unlink(missing_ok=True)
        with contextlib.closing(
            sqlite3.connect(temporary, isolation_level=None)
        ) as connection:
            connection.execute("pragma synchronous = extra")
            _fill(connection, site=site, now=now)
        temporary.replace(path)
        _mark(path.parent, site=site, lease=0)


def _fill(connection: sqlite3.Connection, *, site: str, now: datetime) -> None:
    migrate(connection)
    connection.execute("insert into site values (?, ?)", (site, to_us(now)))


def _new_in_memory(*, now: datetime) -> Ledger:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _fill(connection, site="rehearsal", now=now)
    return Ledger(connection, path=None)


def _refuse_if_it_existed(folder: Path) -> None:
    if (folder / MARKER).exists():
        raise LedgerMissingError(
            f"{folder / LEDGER} existed and is gone; nothing is sent, because jobs "
            "could be sent twice. Put it back from a copy. If it is lost for good, "
            f"see which of today's jobs ran, then remove {folder / MARKER}"
        )


def _refuse_network(folder: Path, mounts: str) -> None:
    kind = file_system(folder, mounts)
    if kind in NETWORK:
        raise LedgerPlaceError(
            f"{folder} lies on a network file system ({kind}), where locks cannot be "
            "relied on; put the outputs folder on a local disk"
        )


def _mark(folder: Path, *, site: str, lease: int) -> None:
    write_json(folder / MARKER, {"site": site, "lease": lease})


def _compare_with_marker(ledger: Ledger, folder: Path) -> None:
    try:
        marker = read_json(folder / MARKER)
    except ValueError as error:
        raise LedgerDamagedError(f"{folder / MARKER} is damaged: {error}") from error
    if marker is None:
        # A crash between making the ledger and its marker leaves just this.
        _mark(folder, site=ledger.site, lease=ledger.lease_number())
    elif marker.get("site") != ledger.site:
        raise LedgerDamagedError(
            f"{ledger.path} is the ledger of site {ledger.site}, but site "
            f"{marker.get('site')} worked here; nothing is sent. Put the right one back"
        )
    elif marker.get("lease", 0) > ledger.lease_number():
        raise LedgerDamagedError(
            f"{ledger.path} is older than what was last written here; nothing is "
            "sent, because jobs could be sent twice. Put the newest copy back. If "
            "there is none, see which jobs ran since, then remove "
            f"{folder / MARKER}"
        )


@contextlib.contextmanager
def _locked(path: Path, *, wait: bool) -> Iterator[bool]:
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

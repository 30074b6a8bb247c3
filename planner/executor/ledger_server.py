"""Opening a ledger in a PostgreSQL database, or refusing to."""

from __future__ import annotations

import secrets
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from planner.executor.errors import (
    ExecutionError,
    LedgerDamagedError,
    LedgerError,
    LedgerPlaceError,
)
from planner.executor.ledger import Ledger
from planner.executor.marker import compare_with_marker, refuse_if_it_existed
from planner.executor.schema import VERSION, fill, migrate, require_known_version
from planner.executor.store_postgres import PostgresStore

if TYPE_CHECKING:
    import psycopg

SCHEMES = ("postgresql://", "postgres://")
CONNECT_S = 10
BUSY_S = 30.0
_SILENCE_S = 60
"""A connection whose other end says nothing for so long counts as lost. [s]"""

_OURS = frozenset({"site", "plans", "dispatches", "transitions", "lease"})


def open_server_ledger(
    url: str,
    folder: Path,
    *,
    now: datetime,
    site: str | None = None,
    busy_s: float = BUSY_S,
) -> Ledger:
    """Open the ledger of a database; the first time, make its tables.

    Parameters
    ----------
    url
        ``postgresql://user:password@host/database``; libpq's other ways to give a
        password (``~/.pgpass``) work, too. It appears in no message.
    folder
        Where this host notes what it last saw; made if missing.
    now
        The clock, aware.
    site
        Identity of a new ledger; drawn at random when None.
    busy_s
        How long to wait while another process writes. [s]

    Raises
    ------
    LedgerError
        If it cannot be reached or trusted. Nothing may be sent then.
    """
    name = place_of(url)
    store = PostgresStore(
        _connect(url, name, busy_s=busy_s), name=name, marker_folder=folder
    )
    try:
        _check_server(store)
        require_known_version(store)
        if store.version() == 0:
            _make(store, folder, site=site or secrets.token_hex(8), now=now)
        elif store.version() < VERSION:
            _upgrade(store)
        ledger = Ledger(store)
        folder.mkdir(parents=True, exist_ok=True)
        compare_with_marker(ledger, folder, note=True)
    except BaseException:
        store.close()
        raise
    return ledger


def connect_to_read(url: str, folder: Path) -> PostgresStore:
    """A connection by which the server lets nothing be written.

    Raises
    ------
    LedgerError
        If it cannot be reached, or is no server that can be relied on.
    """
    name = place_of(url)
    connection = _connect(url, name, busy_s=BUSY_S)
    store = PostgresStore(connection, name=name, marker_folder=folder)
    try:
        store.execute("set default_transaction_read_only = on")
        _check_server(store)
        require_known_version(store)
    except BaseException:
        store.close()
        raise
    return store


def place_of(url: str) -> str:
    """Where a URL leads, for messages: host, port and database, never a secret.

    Raises
    ------
    LedgerError
        If the text is not a URL of PostgreSQL; it is not repeated.
    """
    import_psycopg()
    from psycopg import ProgrammingError
    from psycopg.conninfo import conninfo_to_dict

    try:
        facts = conninfo_to_dict(url)
    except (ProgrammingError, UnicodeError):
        facts = None
    if facts is None or not url.startswith(SCHEMES):
        # Not chained: the driver repeats parts of the text, perhaps the password.
        raise LedgerError(
            "the ledger's address is not like postgresql://user@host/database; "
            "it is not shown here, because it may hold a password"
        )
    host = facts.get("host") or facts.get("hostaddr") or "localhost"
    database = facts.get("dbname") or facts.get("user") or ""
    return f"postgresql://{host}:{facts.get('port') or 5432}/{database}"


def import_psycopg() -> None:
    """Make sure that the driver is there.

    Raises
    ------
    ExecutionError
        If it is not; the message says how to install it.
    """
    try:
        import psycopg  # noqa: F401  # only whether it is there
    except ImportError as error:
        raise ExecutionError(
            "a ledger on PostgreSQL needs psycopg: pip install "
            "'carbon-batch-planner[postgres]'"
        ) from error


def _connect(
    url: str, name: str, *, busy_s: float
) -> psycopg.Connection[tuple[object, ...]]:
    import psycopg

    try:
        connection = psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=CONNECT_S,
            application_name="planner",
            keepalives=1,
            keepalives_idle=_SILENCE_S // 2,
            keepalives_interval=_SILENCE_S // 6,
            keepalives_count=3,
            tcp_user_timeout=_SILENCE_S * 1000,
        )
        settings = _settings(busy_s)
        calls = ", ".join(["set_config(%s, %s, false)"] * len(settings))
        words = [word for setting in settings.items() for word in setting]
        connection.execute(f"select {calls}".encode(), words)
    except psycopg.Error as error:
        reason = " ".join(str(error).split())[:300]
        raise LedgerError(
            f"{name} cannot be reached, nothing is sent: {reason}"
        ) from None
    return connection


def _settings(busy_s: float) -> dict[str, str]:
    """What a session must be sure of, whatever the server's defaults are."""
    return {
        "synchronous_commit": "on",
        "lock_timeout": f"{max(1, int(busy_s * 1000))}ms",
        "statement_timeout": "10min",
        # A frozen executor holds its lock on: others wait, as for a lock file.
        "idle_session_timeout": "0",
        # But not within a transaction: it would keep even readers' verbs waiting.
        "idle_in_transaction_session_timeout": "5min",
        "client_encoding": "utf8",
        "timezone": "UTC",
        "tcp_keepalives_idle": str(_SILENCE_S // 2),
        "tcp_keepalives_interval": str(_SILENCE_S // 6),
        "tcp_keepalives_count": "3",
    }


def _check_server(store: PostgresStore) -> None:
    encoding, standby = store.query(
        "select current_setting('server_encoding'), pg_is_in_recovery()"
    )[0]
    if encoding != "UTF8":
        raise LedgerPlaceError(
            f"{store.name} keeps text as {encoding}; make a database with UTF8"
        )
    if standby:
        raise LedgerPlaceError(
            f"{store.name} is a standby server, which may lag behind; name the "
            "server that is written to"
        )


def _make(store: PostgresStore, folder: Path, *, site: str, now: datetime) -> None:
    """All tables in one transaction; another host that does the same waits."""
    store.begin_making()
    try:
        if store.version() == 0:  # and nobody on this host is making it, either
            refuse_if_it_existed(folder, store.name)
            _refuse_foreign_tables(store)
            fill(store, site=site, now=now)
        store.commit()
    finally:
        store.rollback()


def _refuse_foreign_tables(store: PostgresStore) -> None:
    found = {
        row[0]
        for row in store.query(
            "select tablename from pg_tables where schemaname = current_schema()"
        )
    }
    if _OURS & found:
        taken = ", ".join(sorted(_OURS & found))
        raise LedgerDamagedError(
            f"{store.name} holds tables of a ledger ({taken}) but not its version; "
            "nothing is sent. Restore it from a copy, or name an empty database"
        )


def _upgrade(store: PostgresStore) -> None:
    store.begin_making()
    try:
        migrate(store)
        store.commit()
    finally:
        store.rollback()

"""Where a workspace's ledger is: a file below its outputs, or a server's database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from planner.executor.errors import LedgerError
from planner.executor.ledger import Ledger
from planner.executor.ledger_file import open_ledger
from planner.executor.reading import read_ledger

VARIABLE = "PLANNER_LEDGER"
_FROM_VARIABLE = "env:"


def ledger_url(
    environ: Mapping[str, str], setting: str | None = None
) -> tuple[str | None, dict[str, str]]:
    """Address of the ledger's server, and the environment without it.

    Parameters
    ----------
    environ
        ``PLANNER_LEDGER`` is the address, or ``env:NAME``.
    setting
        ``env:NAME`` from planner.toml, where no secret may stand.

    Returns
    -------
    str or None, dict
        None for the file below the outputs. What is returned of the environment may
        be handed to jobs.

    Raises
    ------
    LedgerError
        If the address is none; it is not repeated, it may hold a password.
    """
    left = {name: text for name, text in environ.items() if name != VARIABLE}
    if setting is not None and not setting.startswith(_FROM_VARIABLE):
        raise LedgerError(
            "planner.toml: executor.ledger is not like env:NAME; an address with a "
            "password belongs in a variable, not in a file that many read"
        )
    text = environ.get(VARIABLE, setting)
    if text is None:
        return None, left
    if text.startswith(_FROM_VARIABLE):
        name = text.removeprefix(_FROM_VARIABLE)
        if not environ.get(name):
            raise LedgerError(f"the ledger's address is in {name}, which is not set")
        return environ[name], {n: v for n, v in left.items() if n != name}
    return text, left


def open_ledger_at(
    folder: Path, *, url: str | None, now: datetime, rehearsal: bool = False
) -> Ledger:
    """Open the ledger of a workspace; the first time, make it.

    Parameters
    ----------
    folder
        Where the file lies, or where this host notes what it saw of the server's.
    url
        Address of the server's database; None for the file.
    now
        The clock, aware.
    rehearsal
        Only look: nothing is written, anywhere.

    Raises
    ------
    LedgerError
        If it cannot be reached or trusted; nothing may be sent then.
    """
    if rehearsal:
        return read_ledger(folder, url=url, now=now)
    if url is None:
        return open_ledger(folder, now=now)
    from planner.executor.ledger_server import open_server_ledger

    return open_server_ledger(url, folder, now=now)

"""What this host last saw of its ledger, in a small file beside its outputs.

It tells a ledger that is gone from one that never was, and an older copy from the
newest one. A ledger on a server has such a marker on every host that used it.
"""

from __future__ import annotations

from pathlib import Path

from planner.executor.errors import LedgerDamagedError, LedgerMissingError
from planner.executor.ledger import Ledger
from planner.executor.run_folder import read_json, write_json

MARKER = "ledger.marker.json"


def mark(folder: Path, *, site: str, lease: int) -> None:
    """Note that a ledger exists, of which site, and its newest lease."""
    write_json(folder / MARKER, {"site": site, "lease": lease})


def remembers(folder: Path) -> bool:
    """Whether this host has seen a ledger.

    To be asked before looking for the ledger: who makes both makes the ledger first.
    """
    return (folder / MARKER).exists()


def refuse_if_it_existed(folder: Path, name: str) -> None:
    """Refuse to make an empty ledger where there was one.

    Raises
    ------
    LedgerMissingError
        If the host remembers a ledger.
    """
    if remembers(folder):
        raise LedgerMissingError(
            f"{name} existed and is gone; nothing is sent, because jobs "
            "could be sent twice. Put it back from a copy. If it is lost for good, "
            f"see which of today's jobs ran, then remove {folder / MARKER}"
        )


def compare_with_marker(ledger: Ledger, folder: Path, *, note: bool) -> None:
    """Refuse a ledger of another site, or one that is older than it was.

    Parameters
    ----------
    note
        Make a marker if there is none.

    Raises
    ------
    LedgerDamagedError
        If the marker cannot be read or says otherwise.
    """
    try:
        marker = read_json(folder / MARKER)
    except ValueError as error:
        raise LedgerDamagedError(f"{folder / MARKER} is damaged: {error}") from error
    if marker is None:
        # A crash between making the ledger and its marker leaves just this.
        if note:
            mark(folder, site=ledger.site, lease=ledger.lease_number())
    elif marker.get("site") != ledger.site:
        raise LedgerDamagedError(
            f"{ledger.name} is the ledger of site {ledger.site}, but site "
            f"{marker.get('site')} worked here; nothing is sent. Put the right one back"
        )
    elif marker.get("lease", 0) > ledger.lease_number():
        raise LedgerDamagedError(
            f"{ledger.name} is older than what was last written here; nothing is "
            "sent, because jobs could be sent twice. Put the newest copy back. If "
            "there is none, see which jobs ran since, then remove "
            f"{folder / MARKER}"
        )

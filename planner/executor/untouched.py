"""Whether a ledger's file is still as this program left it.

Checking a whole file takes longer, the larger it is, and the executor opens it each
minute. So the process that closes it notes what the system says of it; a file of which
the system says the same at the next opening was written by nobody else since.
"""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from pathlib import Path

from planner.executor.instants import span_us, to_us
from planner.executor.run_folder import read_json, write_json

NOTE = "ledger.checked.json"
CHECKED_EVERY = timedelta(hours=1)
"""A disk may damage what nobody wrote; so the check is only put off, not left out."""


def checked_us(path: Path, now: datetime) -> int | None:
    """When a file was last checked whole, if that still counts. [µs since 1970 UTC]"""
    try:
        note = read_json(path.with_name(NOTE))
        if note is None or note["file"] != looks(path):
            return None
        at_us = int(note["checked_us"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    still_counts = 0 <= to_us(now) - at_us < span_us(CHECKED_EVERY)
    return at_us if still_counts else None


def note_as_left(path: Path, *, checked_us: int) -> None:
    """Note how a file looks that was just closed; without it, it is checked again."""
    with contextlib.suppress(OSError):
        content = {"file": looks(path), "checked_us": checked_us}
        write_json(path.with_name(NOTE), content, durable=False)


def looks(path: Path) -> list[int]:
    """What the system says of a file; the same as long as nobody writes to it."""
    # The last of them changes with every write, and nobody can set it.
    found = path.stat()
    return [found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns]

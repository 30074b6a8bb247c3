"""Removing the folders of runs that ended long ago.

The claim in a run's folder is what keeps its key from beginning twice, so a folder
goes only if the ledger, which never sends an ended key again, holds its key as ended.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from planner.executor.keys import KEY_PATTERN
from planner.executor.ledger import Ledger
from planner.executor.states import FINAL

AT_ONCE = 500
"""So many folders are removed in one run at most, so that no start has to wait."""


def remove_old_runs(
    runs: Path, ledger: Ledger, *, before: date, most: int = AT_ONCE
) -> int:
    """Remove folders of ended runs whose planned date lies before another.

    Parameters
    ----------
    runs
        Holds a folder for each planned date, and in it one for each key.
    most
        How many at most; the rest is left for the next time.

    Returns
    -------
    int
        How many were removed.
    """
    removed = 0
    for day in _old_days(runs, before):
        # What cannot be looked at or removed, or is just read by someone, stays.
        with contextlib.suppress(OSError):
            for folder in sorted(day.iterdir()):
                if removed == most:
                    return removed
                if _may_go(folder, ledger):
                    shutil.rmtree(folder, ignore_errors=True)
                    removed += not folder.exists()
            if not any(day.iterdir()):
                day.rmdir()
    return removed


def _old_days(runs: Path, before: date) -> Iterator[Path]:
    for folder in sorted(runs.glob("p" + "[0-9]" * 8)):
        try:
            day = datetime.strptime(folder.name, "p%Y%m%d").date()  # noqa: DTZ007 - a date
        except ValueError:
            continue
        if day < before and folder.is_dir() and not folder.is_symlink():
            yield folder


def _may_go(folder: Path, ledger: Ledger) -> bool:
    if folder.is_symlink() or not KEY_PATTERN.fullmatch(folder.name):
        return False
    found = ledger.query("select state from dispatches where key = ?", folder.name)
    return bool(found) and found[0][0] in FINAL

"""What the name of a plan's file says.

``plan-<date>.parquet`` is the newest plan of a date; the ones that it replaced lie
beside it as ``plan-<date>.<serial>.parquet``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

_NAME = re.compile(r"plan-(\d{4}-\d{2}-\d{2})(?:\.([1-9]\d{0,8}))?\.parquet", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanName:
    """Of which date, and which version; ``serial`` is None for the newest."""

    date: date
    serial: int | None


def plan_path(folder: Path, date: date) -> Path:
    """File of the newest plan of a date."""
    return folder / f"plan-{date.isoformat()}.parquet"


def name_of(path: Path) -> PlanName | None:
    """What a file is called by, None if it is not called as plans are."""
    named = _NAME.fullmatch(path.name)
    if named is None:
        return None
    try:
        day = date.fromisoformat(named[1])
    except ValueError:  # 2026-02-30 is not a date
        return None
    return PlanName(date=day, serial=int(named[2]) if named[2] else None)

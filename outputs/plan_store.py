"""Plans of many days in one folder: the newest of each date, and earlier versions.

A file that is damaged, or whose metadata name another date than its file name, counts
as absent.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from outputs.errors import PlanFormatError, PlanStorageError
from outputs.plan import Plan, PlanMeta
from outputs.plan_file import UNSIGNED, read_meta, write_plan
from outputs.plan_name import name_of, plan_path
from outputs.plan_signature import KeyRing
from outputs.storage import write_atomically


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredPlan:
    """A plan in a folder, its metadata verified; the rows are not read yet."""

    path: Path
    meta: PlanMeta


def next_serial(folder: Path, date: date) -> int:
    """Serial number of the next plan of a date: 1, then one more each time.

    A number that was ever used is not given again as long as its file is there,
    damaged or not.
    """
    used = [0]
    for path, serial in _versions(folder, date):
        stored = _verified(path)
        if stored is not None:
            used.append(stored.meta.serial)
        used.append(serial or 0)
    current = plan_path(folder, date)
    unreadable = current.exists() and _verified(current) is None
    return max(used) + 1 + unreadable


def save_plan(
    plan: Plan, folder: Path, *, keys: KeyRing = UNSIGNED
) -> tuple[Path, Plan]:
    """Make a plan the newest of its date; keep the one before beside it.

    Parameters
    ----------
    plan
        Its serial number must come from ``next_serial``, under the same lock.
    folder
        Folder of the plans; must exist.
    keys
        The first of them signs the plan.

    Raises
    ------
    PlanFormatError
        If the rows or metadata do not form a plan.
    PlanStorageError
        If the disk refuses; the plan before is still the newest.
    """
    path = plan_path(folder, plan.meta.date)
    _keep(path, plan.meta.serial)
    return path, write_plan(plan, path, keys=keys)


def valid_plans(
    folder: Path, *, first: date = date.min, last: date = date.max
) -> tuple[StoredPlan, ...]:
    """Every readable plan of a folder, by date, then serial; each serial once.

    Parameters
    ----------
    first, last
        Only of these dates and those between; files of others are not opened.
    """
    found: dict[tuple[date, int], StoredPlan] = {}
    files = [file for file in _files(folder) if first <= file[1] <= last]
    for path, day, _ in sorted(files, key=lambda file: file[2] or 0):
        stored = _verified(path)
        if stored is not None:
            found.setdefault((day, stored.meta.serial), stored)
    return tuple(found[key] for key in sorted(found))


def find_plan(
    folder: Path, plan_id: str, *, first: date = date.min, last: date = date.max
) -> StoredPlan | None:
    """The readable plan of an identity, None if there is none.

    Parameters
    ----------
    first, last
        Only among these dates and those between. The latest are opened first, and no
        more than it takes.
    """
    files = [file for file in _files(folder) if first <= file[1] <= last]
    newest_first = sorted(files, key=lambda file: (-file[1].toordinal(), file[2] or 0))
    for path, _, _ in newest_first:
        stored = _verified(path)
        if stored is not None and stored.meta.plan_id == plan_id:
            return stored
    return None


def planned_dates(folder: Path) -> list[date]:
    """Dates that the folder has files of plans for, the earliest first."""
    return sorted({day for _, day, _ in _files(folder)})


def newest_plan_before(folder: Path, date: date) -> StoredPlan | None:
    """Newest readable plan of an earlier date, None if there is none."""
    for day in reversed(planned_dates(folder)):
        if day < date:
            stored = [_verified(path) for path, _ in _versions(folder, day)]
            readable = [plan for plan in stored if plan is not None]
            if readable:
                return max(readable, key=lambda plan: plan.meta.serial)
    return None


def _keep(path: Path, next_serial: int) -> None:
    """Give the newest plan a second name, which stays when the first moves on."""
    if not path.exists():
        return
    stored = _verified(path)
    serial = next_serial - 1 if stored is None else stored.meta.serial
    kept = path.with_name(f"{path.stem}.{serial}{path.suffix}")
    if kept.exists() and _verified(kept) is not None:
        return
    try:
        kept.unlink(missing_ok=True)
        os.link(path, kept)
    except OSError:  # no hard links on this file system
        _copy(path, kept)


def _copy(path: Path, kept: Path) -> None:
    try:
        with path.open("rb") as old:
            write_atomically(kept, lambda new: shutil.copyfileobj(old, new))
    except OSError as error:
        raise PlanStorageError(f"{path}: cannot be read: {error.strerror}") from error


def _verified(path: Path) -> StoredPlan | None:
    name = name_of(path)
    with suppress(PlanFormatError):
        meta = read_meta(path)
        if name is not None and meta.date == name.date:
            return StoredPlan(path=path, meta=meta)
    return None


def _versions(folder: Path, day: date) -> list[tuple[Path, int | None]]:
    """Files of a date with the serial in their name; the newest plan's first."""
    found = [(path, serial) for path, named, serial in _files(folder) if named == day]
    return sorted(found, key=lambda item: item[1] or 0)


def _files(folder: Path) -> Iterator[tuple[Path, date, int | None]]:
    try:
        paths = list(folder.iterdir())
    except FileNotFoundError:
        return
    except OSError as error:
        raise PlanStorageError(
            f"{folder}: cannot be listed: {error.strerror}"
        ) from error
    for path in paths:
        name = name_of(path)
        if name is not None:
            yield path, name.date, name.serial

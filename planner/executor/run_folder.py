"""The files of one shell run, written whole or not at all.

Standard library only: the runner of every shell job imports this.

A run's folder holds ``order.json`` (what to run), ``claim.json`` (who runs it: made
once, by a hard link, so that a second start of the same key finds it taken),
``job.json`` (the job's own process), ``stdout``, ``stderr`` and at the end
``result.json``.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

ORDER, CLAIM, JOB, RESULT = "order.json", "claim.json", "job.json", "result.json"
STDOUT, STDERR = "stdout", "stderr"

ENERGY_PENDING = "energy_pending"
"""In ``result.json``: the job has ended, its supervisor still asks for its energy."""


def read_json(path: Path) -> dict[str, Any] | None:
    """Content of one of the files, None if it is not there."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return content if isinstance(content, dict) else None


def write_json(path: Path, content: dict[str, Any], *, durable: bool = True) -> None:
    """Put a file in place in one step; replaces an older one.

    Parameters
    ----------
    durable
        Return only when it would outlast a power cut; not needed for what means
        nothing after one.
    """
    temporary = _write_beside(path, content, durable=durable)
    temporary.replace(path)
    if durable:
        _sync_folder(path.parent)


def claim(folder: Path, content: dict[str, Any]) -> bool:
    """Take a run for oneself; False if someone has taken it before.

    A hard link to a complete file is made in one step and fails when the name
    exists, so that there is never more than one claim, nor half a claim.
    """
    temporary = _write_beside(folder / CLAIM, content, durable=True)
    try:
        os.link(temporary, folder / CLAIM)
    except FileExistsError:
        return False
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(folder)
    return True


def _write_beside(path: Path, content: dict[str, Any], *, durable: bool) -> Path:
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            json.dump(content, file)
            if durable:
                file.flush()
                os.fsync(file.fileno())
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    # Not every file system lets a folder be synced; the rename itself holds there.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

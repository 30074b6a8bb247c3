"""What the executor notes of its own runs, so that its silence can be told.

One small file below the outputs, replaced whole after every run. It is no part of the
ledger: what cannot be read counts as nothing noted yet.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from outputs.storage import write_atomically

MAX_BYTES = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """Runs of the executor since its record began.

    Parameters
    ----------
    succeeded, failed
        How many ended in order, and how many were refused.
    last_at, last_success_at
        When the last of them ended. [s since 1970]
    last_seconds
        How long the last run took. [s]
    last_code
        Why the last run was refused; None if it was not.
    """

    succeeded: int = 0
    failed: int = 0
    last_at: float | None = None
    last_success_at: float | None = None
    last_seconds: float | None = None
    last_code: str | None = None


NO_RUNS = RunRecord()


def record_path(outputs: Path) -> Path:
    """Where the record of a workspace lies."""
    return outputs / "operations" / "executor.json"


def read_record(path: Path) -> RunRecord:
    """The record, or an empty one if there is none that can be read."""
    with suppress(OSError, ValueError, TypeError):
        with path.open("rb") as file:
            found = json.loads(file.read(MAX_BYTES))
        return RunRecord(
            succeeded=_count(found["succeeded"]),
            failed=_count(found["failed"]),
            last_at=_number(found["last_at"]),
            last_success_at=_number(found["last_success_at"]),
            last_seconds=_number(found["last_seconds"]),
            last_code=None if found["last_code"] is None else str(found["last_code"]),
        )
    return NO_RUNS


def note_run(
    path: Path, *, now: datetime, seconds: float, code: str | None = None
) -> RunRecord:
    """Count one more run.

    Parameters
    ----------
    path
        The record's file.
    now
        When the run ended, aware.
    seconds
        How long it took. [s]
    code
        Why it was refused; None if it was not.

    Raises
    ------
    PlanStorageError
        If the disk refuses.
    """
    before = read_record(path)
    at = now.astimezone(UTC).timestamp()
    after = replace(
        before,
        succeeded=before.succeeded + (code is None),
        failed=before.failed + (code is not None),
        last_at=at,
        last_success_at=at if code is None else before.last_success_at,
        last_seconds=seconds,
        last_code=code,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps(asdict(after), sort_keys=True).encode()
    write_atomically(path, lambda file: _write(file, content))
    return after


def _write(file: Any, content: bytes) -> None:
    file.write(content)


def _count(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a count")
    return value


def _number(value: object) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float):
        raise TypeError("not a number")
    return float(str(value))

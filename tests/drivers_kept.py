"""Processes that are killed while they keep answers and issues of services.

Run as ``python -m tests.drivers_kept FOLDER``; prints one JSON object. It runs on its
own so that forking and killing do not touch the test process.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pa_parquet

from forecasts.history import keep_issue
from forecasts.http.answers import Answers
from forecasts.http.message import HttpRequest
from tests.drivers_plan import MOST_STEPS, in_child, kill_before_call
from tests.factories_forecast import observations_of
from tests.replay_services import NOW

REQUEST = HttpRequest(url="https://service.invalid/forecast")


def body_of(version: int) -> bytes:
    """Answer whose every letter tells its version, larger than any buffer."""
    return f"{version},".encode() * 50_000


def keep(root: Path, version: int) -> None:
    at = NOW + timedelta(seconds=version)
    Answers(folder=root / "answers").keep(REQUEST, body_of(version), fetched_at=at)
    said = observations_of(np.full(24, 100.0 + version), issued_at=at)
    keep_issue(root / "history", said, provider="test", fetched_at=at)


def seen(root: Path) -> dict[str, Any]:
    """Version of the answer, 0 if it is none, and number of issues."""
    kept = Answers(folder=root / "answers").same(REQUEST)
    version = 0
    if kept is not None:
        version = int((kept.fetched_at - NOW).total_seconds())
        version = version if kept.body == body_of(version) else -1
    return {"version": version, "issues": len(issues_in(root))}


def issues_in(root: Path) -> list[Path]:
    return sorted((root / "history").glob("*.parquet"))


def _rows(path: Path) -> int:
    try:
        table = pa_parquet.read_table(path, page_checksum_verification=True)
    except (OSError, ValueError):
        return -1
    rows: int = table.num_rows
    return rows


def main(root: Path) -> dict[str, Any]:
    """Kill -9 before the n-th call to the operating system, n = 1, 2, 3 …"""
    keep(root, 1)
    rounds = []
    for n in range(2, MOST_STEPS):

        def work(n: int = n) -> None:
            kill_before_call(n - 1)
            keep(root, n)

        status = in_child(work)
        rounds.append({"n": n, **seen(root)})
        if status == 0:
            break
        assert os.WIFSIGNALED(status)
    hidden = [path.name for path in root.rglob(".*")]
    rows = [_rows(path) for path in issues_in(root)]
    return {"rounds": rounds, "hidden": hidden, "rows": rows}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))

"""How long one run of the executor takes on a ledger with a year of history.

``python -m benchmarks.ledger_ticks [--rows N] [--ticks N] [--folder DIR]`` fills a
ledger with N rows of past days (each dispatch and its four steps are five), then
follows a plan of today minute by minute, with a job due in each. Prints the quantiles
of the time from opening the ledger to closing it. With a folder that holds a ledger,
that one is used.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from planner.executor.dispatch import run_once
from planner.executor.keys import dispatch_key
from planner.executor.ledger import Ledger
from planner.executor.specs import digest_of
from planner.executor.status import status
from planner.executor.verification import verify
from tests.factories_executor import DAY, MIDNIGHT, FakeBackend, ledger_in, plan_of, row

JOBS_A_DAY = 2_000
ROWS_EACH = 5
SPEC = digest_of("{}")
_HOUR_US = 3_600_000_000


def fill(ledger: Ledger, rows: int) -> None:
    """Enter days of finished work, the newest of them yesterday's."""
    ledger.execute("insert into specs values (?, '{}')", SPEC)
    for back in range(1, rows // (JOBS_A_DAY * ROWS_EACH) + 1):
        day = DAY - timedelta(days=back)
        with ledger.transaction():
            ledger.execute(
                "insert into plans values (?, ?, 1, 'd', 0, 0, 0, 0)",
                f"old-{day}",
                day.isoformat(),
            )
            dispatches = list(finished(ledger.site, day))
            marks = ", ".join("?" * len(dispatches[0]))
            ledger.execute_many(f"insert into dispatches values ({marks})", dispatches)
            ledger.execute_many(
                "insert into transitions (key, at_us, actor, lease, plan_id, "
                "before_state, after_state) values (?, ?, 'a', 0, ?, ?, ?)",
                (
                    (d[0], d[12], d[5], before, after)
                    for d in dispatches
                    for before, after in (
                        (None, "planned"),
                        ("planned", "intent"),
                        ("intent", "sent"),
                        ("sent", "done"),
                    )
                ),
            )


def finished(site: str, day: date) -> Iterator[tuple[object, ...]]:
    """Rows of a day whose jobs have all ended well."""
    start = int((MIDNIGHT - timedelta(days=(DAY - day).days)).timestamp()) * 1_000_000
    for n in range(JOBS_A_DAY):
        key = dispatch_key(site=site, day=day, job_id=f"j{n}", segment=0, attempt=1)
        yield (
            *(key, day.isoformat(), f"j{n}", 0, 1, f"old-{day}", "north", "shell", 1),
            *(
                1.0,
                start,
                start + _HOUR_US,
                start,
                start + 2 * _HOUR_US,
                "run",
                0,
                SPEC,
            ),
            *("done", start + _HOUR_US, start, "h", start, start + _HOUR_US, 0, None),
        )


def ticks(folder: Path, count: int) -> list[float]:
    """Time of each of a day's runs, with jobs due in every one. [s]"""
    rows = [
        row(f"t{n}", f"{n // 60 % 24:02}:{n % 60:02}", minutes=15, power_kw=0.1)
        for n in range(count)
    ]
    plan, backend = plan_of(*rows), FakeBackend()
    taken = []
    for minute in range(count):
        began = time.perf_counter()
        with ledger_in(folder) as ledger:
            run_once(
                plan=plan,
                ledger=ledger,
                backends={"shell": backend},
                now=MIDNIGHT + timedelta(minutes=minute),
                actor="benchmark",
            )
        taken.append(time.perf_counter() - began)
    return taken


def main() -> None:
    """Fill, run, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--ticks", type=int, default=300)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    with ExitStack() as stack:
        folder = asked.folder or Path(
            stack.enter_context(tempfile.TemporaryDirectory())
        )
        if not (folder / "ledger.sqlite").exists():
            with ledger_in(folder) as ledger:
                fill(ledger, asked.rows)
        taken = ticks(folder, asked.ticks)
        with ledger_in(folder) as ledger:
            began = time.perf_counter()
            listed = len(status(ledger, plan_of(), now=MIDNIGHT))
            list_s = time.perf_counter() - began
            began = time.perf_counter()
            problems = len(verify(ledger))
            verify_s = time.perf_counter() - began
            held = ledger.query(
                "select (select count(*) from dispatches), "
                "(select count(*) from transitions)"
            )[0]
    p50, p99 = np.quantile(taken, [0.5, 0.99])
    figures = {
        "dispatches": held[0],
        "transitions": held[1],
        "ticks": len(taken),
        "tick_p50_s": round(float(p50), 4),
        "tick_p99_s": round(float(p99), 4),
        "tick_max_s": round(max(taken), 4),
        "listed": listed,
        "list_s": round(list_s, 3),
        "verify_s": round(verify_s, 1),
        "problems": problems,
    }
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()

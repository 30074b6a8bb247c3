"""Kills an executor before its n-th step, for every n, and counts what ran.

Run as ``python -m tests.executor_kill_loop FOLDER N_JOBS EVERY``. A step is a
call of a built-in function that reaches outside (open, write, sync, link, rename,
lock, spawn, every SQL statement), so nothing in the program needs to know of it.
Each round forks from this small process: the child is killed by SIGKILL, further
children take up what it left. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outputs.plan import Plan
from planner.executor.dispatch import run_once
from planner.executor.verification import verify
from tests.factories_executor import at, ledger_in, plan_of, row, shell_in

SCRIPT = 'echo "$PLANNER_KEY" >> count'
STEPS = {"posix", "fcntl", "sqlite3", "_sqlite3", "_io"}
"""Modules of built-in functions that reach outside of the process."""


def main(folder: Path, n_jobs: int, every: int) -> dict[str, Any]:
    rows = [row(f"j{n}", command=["/bin/sh", "-c", SCRIPT]) for n in range(n_jobs)]
    plan = plan_of(*rows)
    rounds, wrong = 0, []
    for n in range(1, 100_000, every):
        place = folder / str(n)
        place.mkdir()
        status = in_child(lambda place=place, n=n: killed_tick(place, plan, n))
        rounds += 1
        finish(place, plan)
        wrong += [
            f"killed before step {n}: {problem}" for problem in check(place, n_jobs)
        ]
        shutil.rmtree(place)
        if not os.WIFSIGNALED(status):
            break
    return {"rounds": rounds, "last": n, "wrong": wrong}


def in_child(action: Callable[[], object]) -> int:
    """Wait status of a forked child that does one thing."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            action()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1]


def killed_tick(place: Path, plan: Plan, n: int) -> None:
    left = n

    def called(_frame: object, event: str, function: Any) -> None:
        nonlocal left
        if event == "c_call" and owner(function) in STEPS:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(called)
    tick(place, plan)
    sys.setprofile(None)


def owner(function: Any) -> str:
    """Module of a built-in function, or of the type whose method it is."""
    bound_to = getattr(function, "__self__", None)
    return function.__module__ or type(bound_to).__module__


def tick(place: Path, plan: Plan) -> None:
    with ledger_in(place) as ledger:
        run_once(
            plan=plan,
            ledger=ledger,
            backends={"shell": shell_in(place)},
            now=at("02:00"),
            actor="kill loop",
        )


def finish(place: Path, plan: Plan) -> None:
    """Tick until all has ended; the children of a killed one end on their own."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        in_child(lambda: tick(place, plan))
        if states(place).keys() == {"done"}:
            return
        time.sleep(0.02)


def states(place: Path) -> Counter[str]:
    with ledger_in(place) as ledger:
        return Counter(
            state for (state,) in ledger.query("select state from dispatches")
        )


def check(place: Path, n_jobs: int) -> list[str]:
    count = place / "count"
    ran = Counter(count.read_text().split() if count.exists() else [])
    problems = [f"{key} ran {times} times" for key, times in ran.items() if times != 1]
    if len(ran) != n_jobs:
        problems.append(f"{n_jobs - len(ran)} lost")
    if states(place) != {"done": n_jobs}:
        problems.append(f"ended as {states(place)}")
    with ledger_in(place) as ledger:
        problems += verify(ledger)
    return problems


if __name__ == "__main__":
    outcome = main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    sys.stdout.write(json.dumps(outcome))

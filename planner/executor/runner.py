"""Supervises one shell run: ``python -P -m planner.executor.runner FOLDER``.

It lives in a session of its own, so the executor may end, crash or be killed while
the job runs. Standard library only, to start quickly and stay small. It is a
process of its own at the edge of the system, hence it reads the clock itself.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from planner.executor import energy_file, run_folder
from planner.executor.capped_output import CappedOutput
from planner.executor.processes import identify
from planner.executor.sampling import CODECARBON, Sampler
from planner.executor.supervision import EndWish, Supervision

STORE_AGAIN_S, STORE_TRIES = 5.0, 120
"""A full disk may get room again; for ten minutes the result is held ready."""


def main(folder: Path) -> int:
    """Claim a run and see it through; does nothing if it was claimed before."""
    order = run_folder.read_json(folder / run_folder.ORDER)
    if order is None:
        return 2
    for number in (signal.SIGHUP, signal.SIGINT):
        # Handled by doing nothing, not ignored: being ignored would be inherited.
        signal.signal(number, lambda *_: None)
    wish = EndWish()
    signal.signal(signal.SIGTERM, wish.make)
    myself = identify(os.getpid())
    assert myself is not None
    if not run_folder.claim(folder, {**asdict(myself), "claimed_at": _now()}):
        return 0
    _run(folder, order, wish)
    return 0


def _run(folder: Path, order: dict[str, Any], wish: EndWish) -> None:
    """See the job through and store what became of it."""
    started_at, began = _now(), time.monotonic()
    told = None if order.get("energy") == "none" else folder / energy_file.NAME
    try:
        child = _start(order, told)
    except (OSError, ValueError) as error:
        reason = _why_not_started(order["command"], error)
        _store_result(folder, _result(started_at, outcome="not_started", reason=reason))
        return
    sampled = order.get("energy") == CODECARBON
    sampler = Sampler(folder, order["env"]) if sampled else None
    identity = identify(child.pid)
    if identity is not None:
        with contextlib.suppress(OSError):
            run_folder.write_json(
                folder / run_folder.JOB, asdict(identity), durable=False
            )
    end = _seen_through(folder, order, child, wish)
    result = _result(started_at, **end, **_energy(told))
    if sampler is not None:
        result = _sampled(folder, result, sampler, run_s=time.monotonic() - began)
    _store_result(folder, result)


def _seen_through(
    folder: Path, order: dict[str, Any], child: subprocess.Popen[bytes], wish: EndWish
) -> dict[str, Any]:
    """How a job ended, its output stored."""
    supervision = Supervision(child, timeout_s=order["timeout_s"], wish=wish)
    limit = order["output_limit"]
    supervision.watch(child.stdout, CappedOutput(folder / "stdout", limit=limit))
    supervision.watch(child.stderr, CappedOutput(folder / "stderr", limit=limit))
    supervision.until_end()
    return _describe(child.returncode, supervision.stopped)


def _sampled(
    folder: Path, result: dict[str, Any], sampler: Sampler, *, run_s: float
) -> dict[str, Any]:
    """A result with what CodeCarbon saw; what the job itself told stands first."""
    if result["energy"] is not None:
        sampler.discard()
        return result
    # The end is on disk before anything is waited for.
    _store_result(folder, {**result, run_folder.ENERGY_PENDING: True})
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    energy, problem = sampler.answer(run_s=run_s, cpu_s=used.ru_utime + used.ru_stime)
    said = [text for text in (result["energy_problem"], problem) if text]
    return {**result, "energy": energy, "energy_problem": "; ".join(said) or None}


def _energy(told: Path | None) -> dict[str, Any]:
    if told is None:
        return {}
    figure, problem = energy_file.read_energy(told)
    return {"energy": figure, "energy_problem": problem}


def _start(order: dict[str, Any], told: Path | None) -> subprocess.Popen[bytes]:
    where = {} if told is None else {energy_file.VARIABLE: str(told)}
    return subprocess.Popen(
        order["command"],
        cwd=order["cwd"],
        env={**os.environ, **order["env"], **where},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )


def _describe(status: int, stopped: str | None) -> dict[str, Any]:
    if stopped is not None:
        return {"outcome": stopped, "reason": f"stopped: {stopped}"}
    if status < 0:
        number = -status
        return {
            "outcome": "signalled",
            "signal": number,
            "reason": f"killed by signal {number} ({signal.strsignal(number)})",
        }
    reason = None if status == 0 else f"exit status {status}"
    return {"outcome": "exited", "exit_code": status, "reason": reason}


def _why_not_started(command: list[str], error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return f"command not found: {command[0]}"
    if isinstance(error, PermissionError):
        return f"not executable: {command[0]}"
    detail = error.strerror if isinstance(error, OSError) else error
    return f"{command[0]} could not be started: {detail}"


def _result(started_at: str, **facts: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "exit_code": None,
        "signal": None,
        **facts,
        "started_at": started_at,
        "ended_at": _now(),
    }


def _store_result(folder: Path, result: dict[str, Any]) -> None:
    for _ in range(STORE_TRIES):
        try:
            run_folder.write_json(folder / run_folder.RESULT, result)
        except OSError:
            time.sleep(STORE_AGAIN_S)
        else:
            return


def _now() -> str:
    return datetime.now(UTC).isoformat()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

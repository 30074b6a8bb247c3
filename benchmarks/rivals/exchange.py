"""Ask a rival for a day's starts, in its own environment, through JSON."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from solvers.problem import Problem
from solvers.solution import Schedule

DRIVERS = Path(__file__).parent / "drivers"

PATIENCE = 10.0
"""Times the time limit that a rival may take before it is stopped."""


class RivalUnavailableError(Exception):
    """A rival that is not installed, cannot be asked, or gave no answer."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answer:
    """What a rival chose, and how long its own code took. [s]"""

    schedule: Schedule
    seconds: float


def ask(
    name: str,
    python: Path,
    problem: Problem,
    *,
    time_limit_s: float,
    drivers: Path = DRIVERS,
) -> Answer:
    """Let a rival choose the starts of all jobs.

    Parameters
    ----------
    name
        Of the driver.
    python
        Interpreter of the environment that the rival is installed in.
    problem
        The day. Asked for every allowed region of a job; the cheapest answer is kept,
        by metered energy at the rival's own mean intensity plus transfer.
    time_limit_s
        Passed on to rivals that know one. [s]
    drivers
        Folder of ``run_NAME.py``.

    Raises
    ------
    RivalUnavailableError
        With the reason.
    """
    if not python.exists():
        raise RivalUnavailableError(f"{python} does not exist; run make rivals")
    message = json.dumps(_message(problem, time_limit_s))
    reply = _run([str(python), str(drivers / f"run_{name}.py")], message, time_limit_s)
    if "unavailable" in reply:
        raise RivalUnavailableError(reply["unavailable"])
    schedule = _cheapest(problem, reply["found"])
    return Answer(schedule=schedule, seconds=reply["seconds"])


def _run(command: list[str], message: str, time_limit_s: float) -> dict[str, Any]:
    patience = PATIENCE * time_limit_s
    try:
        done = subprocess.run(
            command,
            input=message,
            capture_output=True,
            text=True,
            timeout=patience,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        reason = f"no answer within {patience:g} s"
        raise RivalUnavailableError(reason) from error
    except subprocess.CalledProcessError as error:
        last = error.stderr.strip().splitlines()[-1:] or ["no message"]
        raise RivalUnavailableError(f"failed: {last[0]}") from error
    # Some rivals greet on stdout; the answer is the last line.
    reply: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return reply


def _message(problem: Problem, time_limit_s: float) -> dict[str, Any]:
    places, jobs = problem.places, problem.jobs
    slot_minutes = places.slot_hours * 60.0
    return {
        "slot_minutes": slot_minutes,
        "time_limit_s": time_limit_s,
        "g_per_kwh": places.g_per_kwh.tolist(),
        "solar_kw": (places.solar_kwh / places.slot_hours).tolist(),
        "pue": places.pue.tolist(),
        "jobs": [
            {
                "regions": np.flatnonzero(jobs.allowed[j]).tolist(),
                "first": int(jobs.first[j]),
                "last": int(jobs.last[j]),
                "slots": int(jobs.n_slots[j]),
                "minutes": slot_minutes * (jobs.n_slots[j] - 1 + jobs.last_fraction[j]),
                "kw": float(jobs.power_kw[j]),
            }
            for j in range(len(jobs))
        ],
    }


def _cheapest(problem: Problem, found: list[list[list[float]]]) -> Schedule:
    """Keep one answer for each job; jobs without one are left out."""
    chosen = Schedule.empty(problem.n_jobs)
    region, start = chosen.region.copy(), chosen.start.copy()
    energy = problem.jobs.energy_kwh(problem.places.slot_hours)
    pue, transfer = problem.places.pue, problem.jobs.place_kg
    for job, answers in enumerate(found):
        if answers:
            kg = [
                energy[job] * pue[int(r)] * g / 1000.0 + transfer[job, int(r)]
                for r, _, g in answers
            ]
            region[job], start[job], _ = answers[int(np.argmin(kg))]
    return Schedule(region=region, start=start)

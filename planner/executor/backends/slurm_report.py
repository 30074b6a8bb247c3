"""From a run's files and Slurm's records to one report."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from planner.executor.backends.backend import Phase, Report
from planner.executor.backends.slurm_records import Entry
from planner.executor.backends.slurm_script import NO_FOLDER, NOT_MINE
from planner.executor.energy import J_PER_KWH, MEASURED, Energy

WAITING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD"})
RUNNING = frozenset(
    {"RUNNING", "COMPLETING", "SUSPENDED", "STOPPED", "RESIZING", "SIGNALING"}
    | {"STAGE_OUT", "RESV_DEL_HOLD"}
)
_REASONS = {
    "TIMEOUT": "stopped: time limit of Slurm",
    "NODE_FAIL": "its node failed while it ran",
    "BOOT_FAIL": "its node did not start",
    "OUT_OF_MEMORY": "killed: out of memory",
    "PREEMPTED": "stopped: preempted by a job of higher rank",
    "DEADLINE": "stopped: deadline",
}
_CANCELLED = "cancelled before it began"

ENDS = frozenset({Phase.DONE, Phase.FAILED, Phase.CANCELLED})
SOURCE = "Slurm"

Facts = Mapping[str, Any]


def report_of(
    *,
    claim: Facts | None,
    result: Facts | None,
    entries: Sequence[Entry],
    wish: Facts | None = None,
) -> Report:
    """What became of a key.

    Parameters
    ----------
    claim, result
        Content of the run's files; None where they are not there.
    wish
        Content of the file that notes the wish to cancel it, None if there is none.
    entries
        Slurm's jobs of that name: more than one if it was sent again after a loss.
    """
    if claim is not None and "slurm_job" not in claim:
        return Report(phase=Phase.CANCELLED, reason=_CANCELLED)
    if claim is None:
        return _unclaimed(entries)
    mine = next((e for e in entries if e.job == claim["slurm_job"]), None)
    began = datetime.fromisoformat(claim["claimed_at"])
    handle = claim["slurm_job"]
    if mine is not None and mine.state in WAITING:
        return Report(phase=Phase.WAITING, handle=handle, started_at=began)
    if result is not None:
        return _finished(result, mine, handle, cancelled=wish is not None)
    if mine is None:
        reason = "it began, and Slurm knows it no more; its end was not noted"
        return Report(phase=Phase.LOST, handle=handle, started_at=began, reason=reason)
    if mine.state in RUNNING:
        return Report(phase=Phase.RUNNING, handle=handle, started_at=began)
    return _ended(mine, began_at=began)


def is_running(report: Report, entries: Sequence[Entry]) -> bool:
    """Whether the script noted an end that Slurm has not taken down yet."""
    mine = _of(report, entries)
    return mine is not None and mine.state == "RUNNING"


def at_work(report: Report) -> Report:
    """An end not told yet, because what belongs to it is still to come."""
    return Report(
        phase=Phase.RUNNING, handle=report.handle, started_at=report.started_at
    )


def metered(report: Report, accounts: Sequence[Entry]) -> Report:
    """An end with what the accounting says of the energy of that very job.

    Parameters
    ----------
    accounts
        Records of its name. Slurm meters nodes, from the job's begin to its end.
    """
    mine = _of(report, accounts)
    if report.phase not in ENDS or mine is None or mine.energy_j is None:
        return report
    if report.started_at is None or mine.state in WAITING | RUNNING:
        return report
    kwh = mine.energy_j / J_PER_KWH
    return replace(report, energy=Energy(kwh=kwh, label=MEASURED, source=SOURCE))


def _of(report: Report, entries: Sequence[Entry]) -> Entry | None:
    return next((entry for entry in entries if entry.job == report.handle), None)


def _unclaimed(entries: Sequence[Entry]) -> Report:
    """The command has not begun, as far as the files show."""
    live = [e for e in entries if e.state in WAITING | RUNNING]
    if live:
        return Report(phase=Phase.WAITING, handle=live[0].job, reason=None)
    ended = [e for e in entries if e.exit_code != NOT_MINE]
    if not ended:
        return Report(phase=Phase.ABSENT)
    return _ended(ended[-1], began_at=None)


def _finished(
    result: Facts, mine: Entry | None, handle: str, *, cancelled: bool
) -> Report:
    """The script noted the end; Slurm tells whether somebody wanted it."""
    exit_code = result["exit_code"]
    began_at = datetime.fromisoformat(result["started_at"])
    state = "" if mine is None else mine.state
    if exit_code == 0:
        phase, reason = Phase.DONE, None
    elif result["outcome"] != "exited":
        phase, reason = Phase.FAILED, "the workspace folder is not there on its node"
    elif cancelled or state == "CANCELLED":
        phase, reason = Phase.CANCELLED, "cancelled"
    elif state in RUNNING:
        # Only when all is cleaned up does Slurm say who ended it.
        return Report(phase=Phase.RUNNING, handle=handle, started_at=began_at)
    else:
        phase, reason = Phase.FAILED, _REASONS.get(state) or _why(exit_code)
    return Report(
        phase=phase,
        handle=handle,
        started_at=began_at,
        ended_at=datetime.fromisoformat(result["ended_at"]),
        exit_code=exit_code,
        reason=reason,
    )


def _ended(entry: Entry, *, began_at: datetime | None) -> Report:
    """Slurm alone tells the end."""
    if entry.state == "COMPLETED":
        phase, reason = Phase.DONE, None
    elif entry.state == "CANCELLED":
        phase = Phase.CANCELLED
        reason = "cancelled" if began_at else "cancelled in Slurm before it began"
    else:
        phase, reason = Phase.FAILED, _REASONS.get(entry.state) or _why_entry(entry)
    return Report(
        phase=phase,
        handle=entry.job,
        started_at=began_at or entry.started_at,
        ended_at=entry.ended_at,
        exit_code=entry.exit_code,
        reason=reason,
    )


def _why_entry(entry: Entry) -> str:
    if entry.exit_code == NO_FOLDER:
        return "its run folder is not there, or cannot be written, on its node"
    if entry.exit_code == NOT_MINE:
        return "Slurm started it a second time; it was kept from running twice"
    if entry.exit_code:
        return _why(entry.exit_code)
    if entry.signal:
        return f"killed by signal {entry.signal} ({signal.strsignal(entry.signal)})"
    return f"Slurm says {entry.state}" + (f" ({entry.reason})" if entry.reason else "")


def _why(exit_code: int) -> str:
    words = f"exit status {exit_code}"
    if exit_code == 126:
        return f"{words} (as of a file that is not executable)"
    if exit_code == 127:
        return f"{words} (as of a command that is not found)"
    if 128 < exit_code < 128 + signal.NSIG:
        return f"{words} (as of signal {exit_code - 128})"
    return words

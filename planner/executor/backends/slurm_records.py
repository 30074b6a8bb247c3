"""What Slurm's commands and records say of its jobs, as values."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from planner.executor.energy import J_PER_KWH
from planner.executor.energy_file import MAX_KWH
from planner.executor.errors import BackendError

COLUMNS = {
    "JobID": 21,
    "Name": 49,
    "State": 21,
    "exit_code": 13,
    "StartTime": 25,
    "EndTime": 25,
    "Reason": 60,
}
ACCOUNTED = "JobIDRaw,State,ExitCode,Start,End,ConsumedEnergyRaw,JobName"
"""Fields of ``sacct``; the name, which may hold anything, comes last."""
_COMPLETION = re.compile(r"(JobId|JobState|ExitCode)=(\S*)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What Slurm says of one of its jobs.

    Parameters
    ----------
    job
        Slurm's number; given out again after a loss, hence only a hint.
    state
        Slurm's word, such as ``PENDING``.
    exit_code, signal
        How the batch script ended, None if it did not or it is not known.
    energy_j
        What its nodes used in its time, None if nobody meters them. [J]
    """

    job: str
    state: str
    exit_code: int | None = None
    signal: int | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str | None = None
    energy_j: int | None = None


def completions(path: Path, name: str) -> list[Entry]:
    """Jobs of a name in a file of Slurm's jobcomp/filetxt plug-in.

    Its times bear no zone, so they are left out.
    """
    try:
        with path.open("rb") as file, _mapped(file.fileno()) as text:
            lines = list(_lines_with(text, f" Name={name} ".encode()))
    except ValueError:  # an empty file cannot be mapped
        return []
    except OSError as error:
        raise BackendError(f"{path}: {error.strerror}") from error
    entries = []
    for line in lines:
        facts = dict(_COMPLETION.findall(line.decode(errors="replace")))
        code, signal = _pair(facts.get("ExitCode", ""))
        state = facts.get("JobState", "")
        job = facts.get("JobId", "")
        entries.append(Entry(job=job, state=state, exit_code=code, signal=signal))
    return entries


def _mapped(handle: int) -> mmap.mmap:
    return mmap.mmap(handle, 0, access=mmap.ACCESS_READ)


def _lines_with(text: mmap.mmap, mark: bytes) -> Iterator[bytes]:
    at = text.find(mark)
    while at != -1:
        end = text.find(b"\n", at)
        if end == -1:  # still being written
            return
        yield text[text.rfind(b"\n", 0, at) + 1 : end]
        at = text.find(mark, end)


def queued(line: str) -> tuple[str, Entry]:
    """Name and entry of one line of ``squeue``, whose columns have fixed widths."""
    values, at = {}, 0
    for column, width in COLUMNS.items():
        values[column] = line[at : at + width].strip()
        at += width
    raw = values["exit_code"]
    status = int(raw) if raw.isdigit() else None
    entry = Entry(
        job=values["JobID"],
        state=values["State"],
        exit_code=None if status is None else status >> 8,
        signal=None if status is None else status & 0x7F,
        started_at=_instant(values["StartTime"]),
        ended_at=_instant(values["EndTime"]),
        reason=values["Reason"],
    )
    return values["Name"], entry


def accounted(line: str) -> tuple[str, Entry]:
    """Name and entry of one line of ``sacct``."""
    cells = [*line.split("|", 6), *[""] * 6]
    job, state, exit_code, start, end, energy, name, *_ = cells
    code, signal = _pair(exit_code)
    entry = Entry(
        job=job,
        state=state.partition(" ")[0],  # "CANCELLED by 0"
        exit_code=code,
        signal=signal,
        started_at=_instant(start),
        ended_at=_instant(end),
        energy_j=_joules(energy),
    )
    return name, entry


def _joules(text: str) -> int | None:
    """Energy of a job; 0, nothing and Slurm's marks for "unset" are no figure.

    Counters that were read wrong give up to twenty digits, too.
    """
    if not re.fullmatch(r"[0-9]{1,20}", text):
        return None
    joules = int(text)
    return joules if 0 < joules <= MAX_KWH * J_PER_KWH else None


def _pair(text: str) -> tuple[int | None, int | None]:
    code, _, signal = text.partition(":")
    if not (code.isdigit() and signal.isdigit()):
        return None, None
    return int(code), int(signal)


def _instant(text: str) -> datetime | None:
    return datetime.fromtimestamp(int(text), UTC) if text.isdigit() else None

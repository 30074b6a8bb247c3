"""Telling a process from a later one that was given the same number.

Standard library only: the runner of every shell job imports this.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_BOOT_ID = _PROC / "sys/kernel/random/boot_id"
_STATE, _START_TIME = 0, 19
"""Places of the two fields in /proc/PID/stat, counted after the command name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessIdentity:
    """A process of one boot of one machine.

    Parameters
    ----------
    pid
        Process number; used again after the process has ended.
    started
        Start time as the system words it (clock ticks since boot on Linux).
    boot
        Identity of the boot in which the numbers mean something.
    """

    pid: int
    started: str
    boot: str


def boot_identity() -> str:
    """Text that differs after every restart of the machine."""
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text().strip()
    return _ask("sysctl", "-n", "kern.boottime")


def identify(pid: int) -> ProcessIdentity | None:
    """Identity of a process that runs now, None if there is none of that number.

    A process that has ended and only waits to be reaped counts as ended.
    """
    started = _start_time(pid)
    if started is None:
        return None
    return ProcessIdentity(pid=pid, started=started, boot=boot_identity())


def is_alive(process: ProcessIdentity) -> bool:
    """Whether this very process, not a namesake, still runs."""
    return identify(process.pid) == process


def _start_time(pid: int) -> str | None:
    if not _BOOT_ID.exists():
        return _ask("ps", "-o", "lstart=", "-p", str(pid)) or None
    try:
        stat = (_PROC / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The command name may hold spaces and brackets; fields count from its last one.
    fields = stat.rpartition(")")[2].split()
    return None if fields[_STATE] in "ZX" else fields[_START_TIME]


def _ask(*command: str) -> str:
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return answer.stdout.strip()

"""Processes of a Slurm node's jobs, which outlive its daemon."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from pathlib import Path


def jobs_of(conf: Path, node: str) -> set[int]:
    """What the jobs of a node started."""
    marks = {f"SLURM_CONF={conf}".encode(), f"SLURMD_NODENAME={node}".encode()}
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marks <= set((place / "environ").read_bytes().split(b"\0")):
                found.add(int(place.name))
    return found


def steps_of(log: Path) -> set[int]:
    """Slurm's process above each job of a node, which writes into the node's log."""
    found = set()
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (place / "comm").read_text() == "slurmstepd\n" and log in {
                file.readlink() for file in (place / "fd").iterdir()
            }:
                found.add(int(place.name))
    return found


def send(number: int, pids: Collection[int]) -> None:
    """A signal to each process that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

"""Results of the parts, kept as JSON until the tables are written from them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.measuring import Row

LIBRARIES = ("numpy", "numba", "ortools", "pulp", "pyarrow")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One part as it was measured.

    Parameters
    ----------
    part, kind
        Name and kind of the part.
    measured_at
        When it ended, ISO 8601.
    revision
        Commit that was measured; ``+`` where files differed from it.
    machine
        Processor, cores, memory and versions.
    load
        Runnable processes over one minute, before and after.
    threads
        Cores that were used.
    rows
        What came out; a row that failed has ``error``.
    """

    part: str
    kind: str
    measured_at: str
    revision: str
    machine: str
    load: tuple[float, float]
    threads: int
    rows: list[Row]


def keep(result: Result, folder: Path) -> None:
    """Write a part's results; those of an earlier run are replaced."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f".{result.part}.part"
    part.write_text(json.dumps(asdict(result)), encoding="utf-8")
    part.replace(folder / f"{result.part}.json")


def kept(folder: Path) -> dict[str, Result]:
    """Results of all parts that were run, by name."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        values = json.loads(path.read_text(encoding="utf-8"))
        values["load"] = tuple(values["load"])
        found[path.stem] = Result(**values)
    return found


def machine() -> str:
    """Processor, cores, memory, system and versions in one line."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{_processor()}, {os.cpu_count()} cores, {pages / 2**30:.0f} GB, "
        f"{platform.system()}, Python {platform.python_version()}, {libraries}"
    )


def revision() -> str:
    """Commit of the working tree, with ``+`` if files differ from it."""
    commit = _git("rev-parse", "--short", "HEAD")
    changed = _git("status", "--porcelain", "--untracked-files=no")
    return f"{commit}{'+' if changed else ''}" if commit else "unknown"


def now() -> str:
    """The clock, to the minute."""
    return datetime.now().astimezone().isoformat(timespec="minutes")


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()

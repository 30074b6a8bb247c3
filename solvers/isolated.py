"""The child's side of ``solvers.isolation``."""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from solvers.isolation import Limits


def main(folder_name: str, told: int) -> None:
    """Do what the folder's request says, put the answer there, and end.

    Parameters
    ----------
    folder_name
        Where the request is and the response goes; removed if the parent dies.
    told
        Pipe to close when the response is whole.
    """
    folder = Path(folder_name)
    tempfile.tempdir = folder_name
    threading.Thread(target=_watch_parent, args=(folder,), daemon=True).start()
    answer: tuple[str, object]
    try:
        function, arguments, limits = pickle.loads((folder / "request").read_bytes())
        _restrict(limits)
        answer = ("result", function(*arguments))
    except MemoryError:
        answer = ("error", "the engine ran out of memory")
    except Exception as error:  # noqa: BLE001, RUF100  told to the parent in words
        answer = ("error", f"{error}" or type(error).__name__)
    partial = folder / "response.part"
    partial.write_bytes(pickle.dumps(answer, protocol=5))
    partial.rename(folder / "response")
    os.close(told)
    # Engines may hang in their own clean-up; there is nothing left to save.
    os._exit(0)


def _watch_parent(folder: Path) -> None:
    """End the whole group when the parent's end of standard input closes."""
    with contextlib.suppress(OSError):
        os.read(0, 1)
    shutil.rmtree(folder, ignore_errors=True)
    os.killpg(0, signal.SIGKILL)


def _restrict(limits: Limits) -> None:
    """Set kernel limits: memory, processor time as a second net, no core file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cores = os.cpu_count() or 1
    seconds = math.ceil(limits.time_limit_s * cores) + 10
    _lower(resource.RLIMIT_CPU, seconds)
    if sys.platform == "linux":
        memory = limits.memory_bytes
        if memory is None:
            total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
            memory = total * 3 // 4
        _lower(resource.RLIMIT_DATA, memory)


def _lower(kind: int, limit: int) -> None:
    hard = resource.getrlimit(kind)[1]
    if hard != resource.RLIM_INFINITY:
        limit = min(limit, hard)
    resource.setrlimit(kind, (limit, limit))

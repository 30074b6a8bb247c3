"""Run a function in a process of its own, so that it may crash, hang or overeat.

The child is a fresh interpreter, never a fork: nothing of the parent's threads,
locks or memory is in it. It leads its own process group, so that whatever it starts
goes with it, and Ctrl-C reaches the parent alone. Where the parent dies first, the
child sees its standard input end and takes its whole group down.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import selectors
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from solvers.errors import EngineError

Result = TypeVar("Result")

REQUEST, RESPONSE, LOG = "request", "response", "log"
"""Names of the files through which parent and child talk."""

_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from solvers.isolated import main; main(sys.argv[2], int(sys.argv[3]))"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a child may use before it is ended.

    Parameters
    ----------
    time_limit_s
        Elapsed time from its start to its answer. [s]
    memory_bytes
        Data that the child and each process that it starts may hold; enforced by
        the kernel on Linux. None for three quarters of the machine's memory.
    """

    time_limit_s: float
    memory_bytes: int | None = None

    @classmethod
    def within(cls, time_limit_s: float, *, extra: Mapping[str, object]) -> Limits:
        """Limits with the memory that ``SolveOptions.extra["memory_gb"]`` allows."""
        memory_gb = extra.get("memory_gb")
        memory = None if memory_gb is None else int(float(str(memory_gb)) * 2**30)
        return cls(time_limit_s=time_limit_s, memory_bytes=memory)


def run_isolated(
    function: Callable[..., Result], *arguments: object, limits: Limits
) -> Result:
    """Result of ``function(*arguments)``, computed in a child process.

    Parameters
    ----------
    function
        Defined at the top of an importable module.
    *arguments
        Anything that can be pickled; so must be the result.
    limits
        When to end the child.

    Raises
    ------
    EngineError
        If the child crashes, raises, is killed, exceeds a limit or answers
        nothing. No process is left behind in any case.
    """
    with tempfile.TemporaryDirectory(prefix="planner-engine-") as name:
        folder = Path(name)
        (folder / REQUEST).write_bytes(
            pickle.dumps((function, arguments, limits), protocol=5)
        )
        in_time, code = _run(folder, limits.time_limit_s)
        kind, value = _response(folder)
        if kind == "result":
            return value  # type: ignore[return-value]  # of our own child
        if kind == "error":
            raise EngineError(str(value))
        if not in_time:
            raise EngineError(
                f"the engine did not end within {limits.time_limit_s:.1f} s "
                "and was stopped"
            )
        raise EngineError(_how_it_died(code, folder))


def _run(folder: Path, time_limit_s: float) -> tuple[bool, int]:
    """Start a child and wait for it; whether it ended in time, and its code."""
    done, told = os.pipe()
    try:
        with (folder / LOG).open("wb") as log:
            child = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    _BOOT,
                    json.dumps(sys.path),
                    str(folder),
                    str(told),
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=(told,),
                start_new_session=True,
            )
        os.close(told)
        told = -1
        try:
            in_time = _wait_for_end(done, time_limit_s)
        finally:
            _end_group(child)
        return in_time, child.returncode
    finally:
        os.close(done)
        if told >= 0:
            os.close(told)


def _wait_for_end(done: int, time_limit_s: float) -> bool:
    """Wait until the child closes its end of a pipe, by purpose or by dying."""
    with selectors.DefaultSelector() as selector:
        selector.register(done, selectors.EVENT_READ)
        return bool(selector.select(timeout=max(time_limit_s, 0.0)))


def _end_group(child: subprocess.Popen[bytes]) -> None:
    # Before the leader is reaped: until then no one else can have its number.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    if child.stdin is not None:
        child.stdin.close()


def _response(folder: Path) -> tuple[str, object]:
    """What the child answered; ``nothing`` where it did not come to it."""
    try:
        kind, value = pickle.loads((folder / RESPONSE).read_bytes())
    except FileNotFoundError:
        return "nothing", None
    return str(kind), value


def _how_it_died(code: int, folder: Path) -> str:
    last_words = (folder / LOG).read_bytes()[-400:].decode(errors="replace").strip()
    how = f"exit status {code}"
    if code < 0:
        how = f"signal {signal.Signals(-code).name}"
    text = f"the engine died without an answer ({how})"
    return f"{text}: {last_words.splitlines()[-1]}" if last_words else text

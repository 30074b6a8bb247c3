"""Processes that are killed, starved or made to compete while they write plans.

Run as ``python -m tests.drivers_plan MODE FOLDER``; prints one JSON object. It runs
on its own so that forking and killing do not touch the test process.
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from outputs.errors import LockHeldError, PlanError, PlanFormatError, PlanStorageError
from outputs.storage import exclusive_lock, probe, write_atomically

NAME = "plan-2026-11-22.parquet"
MOST_STEPS = 400
NOBODY = 65534
CHANGING_CALLS = (
    *("openat", "write", "pwrite64", "lseek", "flock", "fstat", "newfstatat"),
    *("statx", "getdents64", "fsync", "rename", "renameat", "renameat2"),
    *("unlink", "unlinkat", "close"),
)
FAILING_CALLS = ["write", "fsync", "rename", "renameat", "renameat2"]
PROFILED = ("open", "write", "flush", "fsync", "replace", "flock", "close", "fstat")


def in_child(work: Callable[[], None]) -> int:
    """Run in a forked child; its wait status. Errors of plans become status 1."""
    pid = os.fork()
    if pid:
        return os.waitpid(pid, 0)[1]
    try:
        work()
    except PlanStorageError:
        os._exit(1)
    except LockHeldError:
        os._exit(7)
    os._exit(0)


def write_version(folder: Path, serial: int) -> None:
    from outputs.plan_file import write_plan  # slow to load, not wanted for locks
    from tests.factories_plan import small_plan

    write_plan(small_plan(serial=serial), folder / NAME)


def seen(folder: Path) -> dict[str, Any]:
    """What a reader finds: a serial number or an error, and which files."""
    from outputs.plan_file import read_plan

    try:
        serial: int | str = read_plan(folder / NAME).meta.serial
    except PlanFormatError as error:
        serial = str(error)
    names = sorted(path.name for path in folder.iterdir())
    return {"serial": serial, "files": [n for n in names if not n.startswith(".")]}


def hidden(folder: Path) -> int:
    return sum(path.name.startswith(".") for path in folder.iterdir())


def killed_between_calls(folder: Path) -> dict[str, Any]:
    """Kill -9 before the n-th call to the operating system made from Python."""
    in_child(lambda: write_version(folder, 1))
    rounds = []
    for n in range(1, MOST_STEPS):

        def write(n: int = n) -> None:
            kill_before_call(n)
            write_version(folder, 2)

        status = in_child(write)
        rounds.append(seen(folder))
        if status == 0:
            break
        assert os.WIFSIGNALED(status)
        in_child(lambda: write_version(folder, 1))
    return {"rounds": rounds, "hidden": hidden(folder)}


def kill_before_call(n: int) -> None:
    calls = 0

    def count(frame: FrameType, event: str, function: Any) -> None:
        nonlocal calls
        if event == "c_call" and getattr(function, "__name__", "") in PROFILED:
            calls += 1
            if calls == n:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)


def traced(folder: Path, inject: str) -> int:
    """Write version 2 in a child under strace; the child's wait status."""
    reader, writer = os.pipe()
    pid = os.fork()
    if not pid:
        os.read(reader, 1)
        try:
            write_version(folder, 2)
        except PlanStorageError:
            os._exit(1)
        os._exit(0)
    command = ["strace", "-f", "-p", str(pid), "-o", os.devnull, "-e", inject]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as strace:
        assert strace.stderr is not None
        line = strace.stderr.readline()
        if "attached" not in line:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            strace.kill()
            raise SystemExit(json.dumps({"skip": line.strip()}))
        os.write(writer, b"x")
        status = os.waitpid(pid, 0)[1]
        strace.communicate()
    os.close(reader)
    os.close(writer)
    return status


def killed_in_kernel(folder: Path) -> dict[str, Any]:
    """Kill -9 at the n-th system call of each kind, n = 1, 2, 3 …"""
    rounds = []
    for call in CHANGING_CALLS:
        for n in range(1, MOST_STEPS):
            in_child(lambda: write_version(folder, 1))
            status = traced(folder, f"inject=?{call}:signal=SIGKILL:when={n}")
            if status == 0:
                break
            rounds.append(seen(folder))
    in_child(lambda: write_version(folder, 2))
    return {"rounds": [*rounds, seen(folder)], "hidden": hidden(folder)}


def refused_by_kernel(folder: Path) -> dict[str, Any]:
    """The n-th call of a kind, or that and all later ones, fails for lack of space."""
    rounds = []
    for call, for_ever in itertools.product(FAILING_CALLS, ("", "+")):
        for n in range(1, MOST_STEPS):
            in_child(lambda: write_version(folder, 1))
            status = traced(folder, f"inject=?{call}:error=ENOSPC:when={n}{for_ever}")
            outcome = seen(folder) | {"exit": os.waitstatus_to_exitcode(status)}
            rounds.append(outcome | {"hidden": hidden(folder), "call": call})
            if status == 0:
                break
    return {"rounds": rounds}


def unprivileged(folder: Path) -> dict[str, Any]:
    """Probe a folder as a user who may enter but not write it."""
    with tempfile.TemporaryDirectory() as name:
        outputs = Path(name) / "outputs"
        Path(name).chmod(0o755)
        outputs.mkdir(mode=0o555)

        def look() -> None:
            if os.geteuid() == 0:
                os.setuid(NOBODY)
            try:
                probe(outputs)
            except PlanStorageError as error:
                os._exit(3 if "give this user write access" in str(error) else 4)

        return {"exit": os.waitstatus_to_exitcode(in_child(look))}


def limited(folder: Path) -> dict[str, Any]:
    """A limit on the size of files, met part-way through the write."""
    in_child(lambda: write_version(folder, 1))

    def write() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        write_version(folder, 2)

    status = os.waitstatus_to_exitcode(in_child(write))
    return seen(folder) | {"exit": status, "hidden": hidden(folder)}


def competing(folder: Path) -> dict[str, Any]:
    """Eight processes want the lock at once, a hundred times."""
    rounds = [compete(folder, number) for number in range(100)]
    return {"rounds": rounds}


def compete(folder: Path, number: int) -> dict[str, Any]:
    reader, release = os.pipe()
    for _ in range(8):
        child = os.fork() == 0
        if child:
            break
    if child:
        os.close(release)
        code = 0
        try:
            with exclusive_lock(folder):
                write_atomically(
                    folder / "won", lambda f: print_to(f, f"{number} {os.getpid()}")
                )
                os.read(reader, 1)  # hold on until every other has tried
        except PlanError:
            code = 7
        os._exit(code)
    os.close(reader)
    codes: dict[int, int] = {}
    for _ in range(7):
        pid, status = os.wait()
        codes[pid] = os.waitstatus_to_exitcode(status)
    os.close(release)
    pid, status = os.wait()
    codes[pid] = os.waitstatus_to_exitcode(status)
    won = (folder / "won").read_text()
    return {"codes": sorted(codes.values()), "mine": won == f"{number} {pid}"}


def print_to(file: Any, text: str) -> None:
    file.write(text.encode())


MODES = {
    mode.__name__: mode
    for mode in (
        killed_between_calls,
        killed_in_kernel,
        refused_by_kernel,
        limited,
        unprivileged,
        competing,
    )
}

if __name__ == "__main__":
    if sys.argv[1] not in ("competing", "unprivileged"):
        for module in ("outputs.plan_file", "tests.factories_plan"):
            importlib.import_module(module)  # children then start with them
    result = MODES[sys.argv[1]](Path(sys.argv[2]))
    sys.stdout.write(json.dumps(result))

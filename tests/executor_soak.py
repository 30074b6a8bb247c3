"""Competing executors that are killed again and again, and a count of what ran.

Run as ``python -m tests.executor_soak FOLDER [--dispatches N] [--executors N]
[--kills N] [--steps N] [--seed N] [--seconds N] [--postgres]``. Executors are forked
from this process, so that a new one is at work at once after each SIGKILL. They
share a virtual clock, which goes on by one step when nothing more is due. A job is
one line with its key, appended to ``ran``; that file is what is counted. Prints one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import mmap
import os
import random
import signal
import struct
import sys
import threading
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from outputs.plan import Plan
from planner.executor.backends.backend import Logs, Order, Phase, Report
from planner.executor.dispatch import run_once
from planner.executor.errors import LeaseLostError, LedgerError
from planner.executor.ledger import Ledger
from planner.executor.ledger_server import open_server_ledger
from planner.executor.verification import verify
from tests.factories_executor import MADE, MIDNIGHT, ledger_in, plan_of, row
from tests.postgres_server import running_server

MINUTES = 24 * 60
ABSENT = Report(phase=Phase.ABSENT)
_PAUSE_S = 0.0005
_ASKS_AGAIN_S = 0.1


class Shared:
    """Two numbers that all processes see: the step of the clock, who sent last."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 16)

    @property
    def step(self) -> int:
        return int(struct.unpack_from("q", self._memory, 0)[0])

    @step.setter
    def step(self, value: int) -> None:
        struct.pack_into("q", self._memory, 0, value)

    @property
    def sender(self) -> int:
        return int(struct.unpack_from("q", self._memory, 8)[0])

    @sender.setter
    def sender(self, value: int) -> None:
        struct.pack_into("q", self._memory, 8, value)


@dataclass(kw_only=True)
class AppendingBackend:
    """Runs a job by appending its key to a file; looks keys up in that file.

    It neither refuses a repeat nor keeps anything else: a key that is sent twice
    stands there twice.
    """

    path: Path
    shared: Shared
    name: str = "appending"
    settle: timedelta = timedelta(0)
    refuses_repeats: bool = False
    at_once: int = 4
    _seen: set[str] = field(default_factory=set)
    _read_to: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, order: Order) -> Report:
        self.shared.sender = os.getpid()
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, f"{order.key}\n".encode())
        finally:
            os.close(handle)
        return Report(phase=Phase.WAITING, handle=order.key)

    def look_up(self, key: str) -> Report:
        with self._lock:
            if key not in self._seen and self.path.exists():
                with self.path.open("rb") as file:
                    file.seek(self._read_to)
                    new = file.read()
                self._read_to += len(new)
                self._seen.update(new.decode().split())
            known = key in self._seen
        return Report(phase=Phase.DONE, exit_code=0) if known else ABSENT

    def status(self, key: str, handle: str | None) -> Report:
        return self.look_up(key)

    def cancel(self, key: str, handle: str | None) -> Report:
        return self.look_up(key)

    def logs(self, key: str, handle: str | None) -> Logs:
        return Logs(stdout=None, stderr=None)


@dataclass(frozen=True, kw_only=True)
class Soak:
    """What is asked for, and where it happens."""

    folder: Path
    dispatches: int
    executors: int
    kills: int
    steps: int
    seed: int
    seconds: float
    url: str | None = None

    @property
    def ran(self) -> Path:
        return self.folder / "ran"

    def open(self) -> Ledger:
        if self.url is None:
            return ledger_in(self.folder)
        host = self.folder / f"host{os.getpid() % 2}"
        return open_server_ledger(self.url, host, now=MADE, site="site")

    def minute(self, step: int) -> int:
        """Minute of the day; after the last step the day is nearly over."""
        return min(step * MINUTES // self.steps, MINUTES - 1)

    def plan(self) -> Plan:
        rows = [
            row(
                f"j{n}",
                f"{minute // 60:02}:{minute % 60:02}",
                minutes=1,
                executor="appending",
                power_kw=0.0,
            )
            for n in range(self.dispatches)
            for minute in [self.minute(n * self.steps // self.dispatches)]
        ]
        return plan_of(*rows)


def soak(asked: Soak) -> dict[str, Any]:
    """Let executors compete and kill them until all is done, or time is up."""
    plan, shared, luck = asked.plan(), Shared(), random.Random(asked.seed)
    began = time.monotonic()
    children = [start(asked, plan, shared) for _ in range(asked.executors)]
    moments = sorted(luck.uniform(0, asked.dispatches) for _ in range(asked.kills))
    killed = killed_while_sending = 0
    while shared.step <= asked.steps and time.monotonic() < began + asked.seconds:
        if moments and sent(asked) >= moments[0]:
            moments.pop(0)
            time.sleep(luck.uniform(0, 0.005))
            victim = shared.sender if luck.random() < 0.7 else luck.choice(children)
            victim = victim if victim in children else children[0]
            killed_while_sending += victim == shared.sender
            os.kill(victim, signal.SIGKILL)
            os.waitpid(victim, 0)
            killed += 1
            children[children.index(victim)] = start(asked, plan, shared)
        else:
            time.sleep(_PAUSE_S)
    seconds = time.monotonic() - began
    for child in children:
        os.kill(child, signal.SIGTERM)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    ended = all(os.WIFSIGNALED(status) for status in statuses)
    outcome = {
        "executors": asked.executors,
        "kills": killed,
        "kills_of_the_sender": killed_while_sending,
        "finished": shared.step > asked.steps,
        "unasked_ends": 0 if ended else statuses.count(256),
        "seconds": round(seconds, 1),
    }
    return outcome | judged(asked)


def judged(asked: Soak) -> dict[str, Any]:
    """Count what ran, and let the ledger check itself."""
    ran = Counter(asked.ran.read_text().split() if asked.ran.exists() else [])
    with asked.open() as ledger:
        wrong = verify(ledger)
        states = dict(
            ledger.query("select state, count(*) from dispatches group by state")
        )
        keys = {key for (key,) in ledger.query("select key from dispatches")}
        takeovers = ledger.query(
            "select count(*) from transitions where after_state = 'unknown'"
        )[0][0]
        leases = ledger.lease_number()
    return {
        "dispatches": asked.dispatches,
        "ran": len(ran),
        "lost": asked.dispatches - len(ran),
        "doubled": sum(times > 1 for times in ran.values()),
        "strangers": len(set(ran) - keys),
        "states": states,
        "leases": leases,
        "found_in_doubt": takeovers,
        "wrong": list(wrong),
    }


def sent(asked: Soak) -> int:
    """Number of lines that jobs have written."""
    try:
        return asked.ran.stat().st_size // 39
    except FileNotFoundError:
        return 0


def start(asked: Soak, plan: Plan, shared: Shared) -> int:
    """Process number of a new executor, which works until it is killed."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work(asked, plan, shared)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def work(asked: Soak, plan: Plan, shared: Shared) -> None:
    backend = AppendingBackend(path=asked.ran, shared=shared)
    while True:
        step = shared.step
        try:
            with asked.open() as ledger:
                tick = run_once(
                    plan=plan,
                    ledger=ledger,
                    backends={"appending": backend},
                    now=MIDNIGHT + timedelta(minutes=asked.minute(step)),
                    actor=str(os.getpid()),
                )
        except LeaseLostError:
            continue
        except LedgerError:
            if asked.url is None:
                raise
            continue
        if tick.at_work is not None:
            time.sleep(_ASKS_AGAIN_S)
        elif not tick.events:
            shared.step = max(shared.step, step + 1)


def main(arguments: Sequence[str]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dispatches", type=int, default=100_000)
    parser.add_argument("--executors", type=int, default=8)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=3600.0)
    parser.add_argument("--postgres", action="store_true")
    found = vars(parser.parse_args(arguments))
    with ExitStack() as stack:
        wanted = found.pop("postgres")
        url = stack.enter_context(running_server()).new_database() if wanted else None
        return soak(Soak(**found, url=url))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1:]), indent=1) + "\n")

"""Engines that crash, hang, overeat or lie, for tests of what survives them.

Those that misbehave as processes run in a real child; those that lie are passed to a
search in this process.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from solvers.errors import EngineError
from solvers.exact.engine import EngineAnswer, EngineOptions, Outcome
from solvers.exact.program import Program
from solvers.improvement import Found
from solvers.problem import FloatArray, Problem
from solvers.solution import Schedule, SolveOptions


def double(value: int) -> int:
    """Behave."""
    return 2 * value


def abort() -> None:
    """Crash as a failed assertion in C does."""
    os.abort()


def raise_error() -> None:
    """Fail in words."""
    raise EngineError("no licence")


def be_killed() -> None:
    """Die as under the kernel's memory killer."""
    os.kill(os.getpid(), signal.SIGKILL)


def leave_without_answer() -> None:
    """End as if all were well."""
    os._exit(0)


def ignore_the_limit(note: str) -> None:
    """Go on for ever, deaf to polite signals, after noting who it is."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    Path(note).write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)


def spin_for_ever(note: str) -> None:
    """Use a whole core for ever."""
    Path(note).write_text(str(os.getpid()))
    while True:
        pass


def start_a_grandchild_and_wait(note: str) -> None:
    """Start another program that would outlive this one."""
    program = "import time; time.sleep(600)"
    other = subprocess.Popen([sys.executable, "-c", program])
    Path(note).write_text(str(other.pid))
    other.wait()


def allocate_without_end() -> None:
    """Take memory until there is none."""
    hoard = []
    while True:
        hoard.append(np.ones(4_000_000))


def flood_the_log() -> int:
    """Print far more than a pipe holds, then answer."""
    sys.stdout.write("x" * 3_000_000)
    sys.stdout.flush()
    return 1


@dataclass(frozen=True)
class Lying:
    """Engine that answers what a test tells it to.

    Parameters
    ----------
    values
        Makes the values from the program and the start; None for no values.
    outcome, bound
        What it claims, in the program's unit.
    """

    values: Callable[[Program, FloatArray | None], FloatArray | None]
    outcome: Outcome = Outcome.OPTIMAL
    bound: float | None = None

    def __call__(
        self, program: Program, options: EngineOptions, hint: FloatArray | None
    ) -> EngineAnswer:
        return EngineAnswer(
            outcome=self.outcome,
            values=self.values(program, hint),
            bound=self.bound,
            tolerance=0.0,
            engine="Liar 1.0",
        )


@dataclass(frozen=True)
class Misbehaving:
    """Engine that runs one of the functions above; sent to a child as it is."""

    function: Callable[..., object]
    arguments: tuple[object, ...] = ()

    def __call__(
        self, program: Program, options: EngineOptions, hint: FloatArray | None
    ) -> EngineAnswer:
        self.function(*self.arguments)
        raise EngineError("did not misbehave")


def die_improving(problem: Problem, start: Schedule, options: SolveOptions) -> Found:
    """Be killed instead of bettering a plan."""
    os.kill(os.getpid(), signal.SIGKILL)
    return Found(schedule=start, note="never said")


class SlowToArrive(str):
    """Takes two seconds to be read by a process, as a busy machine's start does."""

    def __reduce__(self) -> tuple[Callable[[float], None], tuple[float]]:
        return time.sleep, (2.0,)


def use_all_the_time(problem: Problem, start: Schedule, options: SolveOptions) -> Found:
    time.sleep(options.time_limit_s)
    return Found(schedule=start, note="worked")

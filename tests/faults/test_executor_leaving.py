"""EX-21: told to leave, the executor does, whatever it is doing."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from planner.cli.exit_codes import ExitCode
from planner.cli.leaving import leaving_on_signals
from tests.processes import python

BEGIN = """
import sqlite3, sys, time
from planner.cli.leaving import leaving_on_signals

held, waiting = (sqlite3.connect(sys.argv[1], timeout=60) for _ in "ab")
held.execute("begin immediate")
with leaving_on_signals(within_s=float(sys.argv[2])):
    print("ready", flush=True)
"""
NEVER_ENDS = {
    "in Python": "time.sleep(60)",
    # SQLite waits for a lock, and no handler of Python's is run meanwhile.
    "in C": 'waiting.execute("begin immediate")',
}


def tell(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@contextmanager
def never_ending(
    where: str, folder: Path, within_s: float
) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose call does not end."""
    code = f"{BEGIN}    {NEVER_ENDS[where]}\n"
    with python(
        *("-c", code, str(folder / "db"), str(within_s)),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize("where", NEVER_ENDS)
def test_ex21_a_call_that_does_not_end_is_given_up_after_the_limit(
    tmp_path: Path, where: str
) -> None:
    with never_ending(where, tmp_path, within_s=0.3) as process:
        process.terminate()
        assert process.wait(timeout=10) == 128 + signal.SIGTERM


def test_ex21_the_second_signal_ends_what_does_not_end_at_once(tmp_path: Path) -> None:
    with never_ending("in C", tmp_path, within_s=60) as process:
        process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
        process.terminate()
        assert process.wait(timeout=10) == 128 + signal.SIGTERM


@pytest.mark.parametrize(
    ("how", "code"),
    [(signal.SIGTERM, ExitCode.DONE), (signal.SIGINT, ExitCode.INTERRUPTED)],
)
def test_ex21_a_signal_ends_the_wait_and_is_told_from_another(
    how: signal.Signals, code: ExitCode
) -> None:
    with leaving_on_signals() as leaving:
        assert not leaving.wait(0)
        assert not leaving.told()
        tell(how)
        began = time.monotonic()
        assert leaving.wait(60)
        assert time.monotonic() - began < 10
        assert leaving.exit_code == code


def test_ex21_the_second_signal_ends_the_process_like_ctrl_c() -> None:
    def impatient() -> None:
        with leaving_on_signals():
            tell(signal.SIGTERM)
            tell(signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        impatient()


def test_signals_that_mean_something_else_do_not_wake_the_executor() -> None:
    before = signal.signal(signal.SIGUSR1, lambda *_: None)
    try:
        with leaving_on_signals() as leaving:
            tell(signal.SIGUSR1)
            assert not leaving.wait(0.1)
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_afterwards_signals_do_what_they_did_before() -> None:
    def standing() -> tuple[object, ...]:
        wakeup = signal.set_wakeup_fd(-1)
        signal.set_wakeup_fd(wakeup)
        handlers = map(signal.getsignal, (signal.SIGTERM, signal.SIGINT))
        return (*handlers, wakeup, len(list(Path("/dev/fd").iterdir())))

    before = standing()
    with leaving_on_signals():
        assert standing() != before
    assert standing() == before

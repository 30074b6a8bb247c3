"""Executors that are killed, doubled or stopped while jobs start and run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.executor.dispatch import run_once
from planner.executor.ledger import Ledger
from planner.executor.verification import verify
from tests.executor_kill_loop import SCRIPT
from tests.factories_executor import at, ledger_in, plan_of, row, shell_in, until

MEMORY = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        yield Path(name)


def python(*arguments: str) -> subprocess.Popen[bytes]:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(
        [sys.executable, *arguments], env=environ, stdout=subprocess.PIPE
    )


def kill_loop(folder: Path, *, jobs: int, every: int) -> dict[str, object]:
    arguments = (str(folder), str(jobs), str(every))
    with python("-m", "tests.executor_kill_loop", *arguments) as process:
        outcome: dict[str, object] = json.loads(process.communicate()[0])
    return outcome


def test_ex01_ex02_ex03_killed_before_any_step_each_job_runs_once(
    folder: Path,
) -> None:
    outcome = kill_loop(folder, jobs=1, every=13)
    assert outcome["wrong"] == []
    assert int(str(outcome["last"])) > 200


@pytest.mark.slow
def test_ex03_killed_before_every_step_of_three_jobs_each_runs_once(
    folder: Path,
) -> None:
    outcome = kill_loop(folder, jobs=3, every=1)
    assert outcome["wrong"] == []


ONE_OF_MANY = """
import sys
from pathlib import Path
from planner.executor.dispatch import run_once
from tests.executor_kill_loop import SCRIPT
from tests.factories_executor import at, ledger_in, plan_of, row, shell_in

place = Path(sys.argv[1])
plan = plan_of(*(row(f"j{n}", command=["/bin/sh", "-c", SCRIPT]) for n in range(40)))
sys.stdin.readline()
for _ in range(3):
    with ledger_in(place) as ledger:
        tick = run_once(plan=plan, ledger=ledger, backends={"shell": shell_in(place)},
                        now=at("02:00"), actor=sys.argv[2])
    print(len(tick.started), tick.at_work, flush=True)
"""


def test_ex07_eight_executors_at_once_send_each_of_forty_jobs_once(
    folder: Path,
) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "env": environ}
    executors = [
        subprocess.Popen(
            [sys.executable, "-c", ONE_OF_MANY, str(folder), str(n)], **pipes
        )
        for n in range(8)
    ]
    for executor in executors:
        executor.stdin.write(b"\n")
        executor.stdin.flush()
    said = [executor.communicate()[0] for executor in executors]
    assert [executor.returncode for executor in executors] == [0] * 8
    assert (
        sum(int(line.split()[0]) for text in said for line in text.splitlines()) >= 40
    )
    until(lambda: len(ran(folder)) >= 40)
    with ledger_in(folder) as ledger:
        finish(ledger, folder)
        assert verify(ledger) == ()
        assert ledger.query(
            "select state, count(*) from dispatches group by state"
        ) == [("done", 40)]
    assert Counter(ran(folder).values()) == {1: 40}


def ran(folder: Path) -> Counter[str]:
    count = folder / "count"
    return Counter(count.read_text().split() if count.exists() else [])


def finish(ledger: Ledger, folder: Path) -> None:
    backends = {"shell": shell_in(folder)}

    def ended() -> bool:
        run_once(
            plan=None, ledger=ledger, backends=backends, now=at("02:05"), actor="test"
        )
        live = "state in ('planned', 'intent', 'sent', 'running', 'unknown')"
        return not ledger.dispatches(live)

    until(ended)


SENDS_AND_WAITS = """
import sys
from pathlib import Path
from planner.executor.dispatch import run_once
from tests.factories_executor import at, ledger_in, plan_of, row, shell_in

place = Path(sys.argv[1])
script = 'echo "$PLANNER_KEY" >> began; while [ ! -e go ]; do sleep 0.05; done; exit 3'
plan = plan_of(*(row(f"j{n}", command=["/bin/sh", "-c", script]) for n in range(10)))
with ledger_in(place) as ledger:
    run_once(plan=plan, ledger=ledger, backends={"shell": shell_in(place)},
             now=at("02:00"), actor="stopped")
print("sent", flush=True)
sys.stdin.readline()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_ex21_jobs_outlive_the_executor_and_are_collected_later(
    tmp_path: Path, how: signal.Signals
) -> None:
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", SENDS_AND_WAITS, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
        start_new_session=True,
    ) as executor:
        assert executor.stdout is not None
        assert executor.stdout.readline() == b"sent\n"
        began = tmp_path / "began"
        until(lambda: began.exists() and len(began.read_text().split()) == 10)
        # The whole process group, as a closing terminal or service manager does.
        os.killpg(executor.pid, how)
    (tmp_path / "go").touch()
    with ledger_in(tmp_path) as ledger:
        finish(ledger, tmp_path)
        ends = ledger.query("select distinct state, exit_code from dispatches")
        assert ends == [("failed", 3)]
    assert len(began.read_text().split()) == 10


def test_a_hundred_punctual_jobs_are_sent_within_seconds(tmp_path: Path) -> None:
    rows = [row(f"j{n}", command=["/bin/sh", "-c", SCRIPT]) for n in range(100)]
    with ledger_in(tmp_path) as ledger:
        tick = run_once(
            plan=plan_of(*rows),
            ledger=ledger,
            backends={"shell": shell_in(tmp_path)},
            now=at("02:00"),
            actor="test",
        )
        assert len(tick.started) == 100
        finish(ledger, tmp_path)
        assert Counter(ran(tmp_path).values()) == {1: 100}

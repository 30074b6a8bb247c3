"""Executors that are killed, doubled or stopped while jobs start and run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
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
from tests.processes import python

MEMORY = Path("/dev/shm")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory where there is one."""
    place = MEMORY if os.access(MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        yield Path(name)


def kill_loop(folder: Path, *, jobs: int, every: int) -> dict[str, object]:
    arguments = (str(folder), str(jobs), str(every))
    with python(
        "-m", "tests.executor_kill_loop", *arguments, stdout=subprocess.PIPE
    ) as process:
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


EIGHT = """
import os, sys, traceback
from pathlib import Path
from planner.executor.dispatch import run_once
from tests.executor_kill_loop import SCRIPT
from tests.factories_executor import at, ledger_in, plan_of, row, shell_in

place = Path(sys.argv[1])
plan = plan_of(*(row(f"j{n}", command=["/bin/sh", "-c", SCRIPT]) for n in range(40)))

def work(name):
    for _ in range(3):
        with ledger_in(place) as ledger:
            tick = run_once(plan=plan, ledger=ledger, now=at("02:00"), actor=name,
                            backends={"shell": shell_in(place)})
        os.write(1, b"%d\\n" % len(tick.started))

waiting, go = os.pipe()
executors = []
for n in range(8):
    executors.append(os.fork())
    if not executors[-1]:
        code = 1
        try:
            os.close(go)
            os.read(waiting, 1)
            work(str(n))
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
os.close(go)
codes = [os.waitpid(pid, 0)[1] for pid in executors]
sys.exit(any(codes))
"""


def test_ex07_eight_executors_at_once_send_each_of_forty_jobs_once(
    folder: Path,
) -> None:
    # Forked when all is loaded, they begin at the same moment.
    with python("-c", EIGHT, str(folder), stdout=subprocess.PIPE) as executors:
        said = executors.communicate()[0]
    assert executors.returncode == 0
    assert len(said.split()) == 8 * 3
    assert sum(map(int, said.split())) >= 40
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
    with python(
        *("-c", SENDS_AND_WAITS, str(tmp_path)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
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

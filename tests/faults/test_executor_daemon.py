"""``planner execute --watch`` as a real process: signals, freezing, taking over."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from planner.executor.dispatch import run_once
from planner.executor.errors import LedgerBusyError
from planner.executor.verification import verify
from tests.factories_executor import at, ledger_in, plan_of, row, shell_in, until
from tests.factories_workspace import DAY, SETTINGS, Folder, a_workspace
from tests.postgres_server import Server
from tests.processes import with_this_program

ENVIRON = with_this_program()
ROOMY = SETTINGS.replace("cpu = 4", "cpu = 32").replace("_kw = 10", "_kw = 100")

PLANNER = """
import os, sys, time
from datetime import datetime, timedelta
from pathlib import Path
from planner.cli import main
from planner.cli.app import App

start, began = datetime.fromisoformat(sys.argv[2]), []

def clock():
    began or began.append(time.monotonic())  # loading the program takes its time
    return start + timedelta(seconds=time.monotonic() - began[0])

app = App(clock=clock, directory=Path(sys.argv[1]), root=lambda: False,
          environment={"PATH": os.defpath, **{name: os.environ[name] for name in
                       ("PYTHONPATH", "PLANNER_LEDGER") if name in os.environ}})
main(sys.argv[3:], obj=app)
"""


@contextmanager
def daemon(
    folder: Path, start: str, *words: str, **variables: str
) -> Iterator[subprocess.Popen[str]]:
    """A daemon whose clock says an instant when it begins."""
    command = [sys.executable, "-c", PLANNER, str(folder), start]
    with subprocess.Popen(
        [*command, "execute", "--watch", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRON | variables,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def planned(root: Path, *jobs: dict[str, str]) -> Folder:
    workspace = a_workspace(root, *jobs, settings=ROOMY)
    workspace.run("solve", "--date", DAY, "--solver", "asap")
    return workspace


def job(job_id: str, script: str) -> dict[str, str]:
    return {"id": job_id, "command": json.dumps(["/bin/sh", "-c", script])}


@pytest.mark.parametrize(("how", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_ex21_the_daemon_leaves_when_told_and_its_jobs_live_on(
    tmp_path: Path, how: signal.Signals, code: int
) -> None:
    script = "echo x >> began; while [ ! -e go ]; do sleep 0.05; done; exit 3"
    workspace = planned(tmp_path, *(job(f"j{n}", script) for n in range(10)))
    began = tmp_path / "began"
    with daemon(tmp_path, f"{DAY}T00:00:00+00:00") as process:
        until(lambda: began.exists() and len(began.read_text().split()) == 10)
        told = time.monotonic()
        os.killpg(process.pid, how)
        out, err = process.communicate(timeout=20)
        assert time.monotonic() - told < 10
    assert process.returncode == code, err
    assert out.count("sent") + out.count("running") == 10
    (tmp_path / "go").touch()

    def collected() -> bool:
        workspace.run("execute", "--once", now=at("00:05"))
        found = json.loads(workspace.run("status", DAY, "--json").stdout)
        return bool(found["counts"] == {"failed": 10})

    until(collected)
    assert len(began.read_text().split()) == 10


def test_the_daemon_works_again_at_the_next_full_minute(tmp_path: Path) -> None:
    planned(tmp_path, {**job("a", "echo x >> began"), "earliest": '"01:00"'})
    with daemon(tmp_path, f"{DAY}T00:59:58.5+00:00", "--json") as process:
        assert process.stdout is not None
        runs = [json.loads(process.stdout.readline()) for _ in range(2)]
        process.terminate()
        assert process.wait(timeout=20) == 0
    before, then = runs
    assert (before["events"], before["next_due_at"]) == ([], f"{DAY}T01:00:00+00:00")
    # A slow machine may still be at its first run when the minute begins.
    assert then["at"].startswith(f"{DAY}T01:00:0")
    assert [event["job_id"] for event in then["events"]] == ["a"]


def test_cron_and_daemon_side_by_side_start_each_job_once(tmp_path: Path) -> None:
    workspace = planned(tmp_path, *(job(f"j{n}", "echo x >> ran") for n in range(12)))
    with daemon(tmp_path, f"{DAY}T00:00:00+00:00", "--json") as process:
        for _ in range(4):
            assert workspace.run("execute", "--once", now=at("00:00")).exit_code == 0
        ran = tmp_path / "ran"
        until(lambda: ran.exists() and len(ran.read_text().split()) == 12)
        assert process.stdout is not None
        process.stdout.readline()
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert len(ran.read_text().split()) == 12


ONE_RUN = """
import sys
from pathlib import Path
from planner.executor.dispatch import run_once
from tests.executor_kill_loop import SCRIPT
from tests.factories_executor import at, ledger_in, plan_of, row, shell_in

place = Path(sys.argv[1])
plan = plan_of(*(row(f"j{n}", command=["/bin/sh", "-c", SCRIPT]) for n in range(10)))
print("ready", flush=True)
with ledger_in(place) as ledger:
    run_once(plan=plan, ledger=ledger, backends={"shell": shell_in(place)},
             now=at("02:00"), actor="frozen")
"""


def frozen_once(folder: Path, delay_s: float) -> None:
    """Freeze one executor at some moment, let a second one try, thaw the first."""
    backends = {"shell": shell_in(folder)}
    plan = plan_of(
        *(
            row(f"j{n}", command=["/bin/sh", "-c", 'echo "$PLANNER_KEY" >> count'])
            for n in range(10)
        )
    )
    # An executor that is frozen while it makes the ledger keeps all others waiting.
    ledger_in(folder).close()
    with subprocess.Popen(
        [sys.executable, "-c", ONE_RUN, str(folder)],
        stdout=subprocess.PIPE,
        env=ENVIRON,
    ) as first:
        assert first.stdout is not None
        first.stdout.readline()
        with suppress(subprocess.TimeoutExpired):
            first.wait(timeout=delay_s)
        first.send_signal(signal.SIGSTOP)
        try:
            # Frozen in the middle of a write, it lets the second one only wait.
            with (
                suppress(LedgerBusyError),
                ledger_in(folder, busy_s=0.2) as second,
            ):
                run_once(
                    plan=plan,
                    ledger=second,
                    backends=backends,
                    now=at("02:01"),
                    actor="second",
                )
        finally:
            first.send_signal(signal.SIGCONT)
        first.wait(timeout=30)

    def ended() -> bool:
        with ledger_in(folder) as ledger:
            run_once(
                plan=plan,
                ledger=ledger,
                backends=backends,
                now=at("02:02"),
                actor="third",
            )
            return ledger.query(
                "select state, count(*) from dispatches group by state"
            ) == [("done", 10)]

    until(ended)
    ran = Counter((folder / "count").read_text().split())
    assert Counter(ran.values()) == {1: 10}
    with ledger_in(folder) as ledger:
        assert verify(ledger) == ()


@pytest.mark.parametrize("delay_s", [0.05, 0.15])
def test_ex08_an_executor_frozen_while_a_second_one_starts_doubles_nothing(
    tmp_path: Path, delay_s: float
) -> None:
    frozen_once(tmp_path, delay_s)


@pytest.mark.slow
def test_ex08_frozen_at_fifty_random_moments(tmp_path: Path) -> None:
    chance = random.Random(8)
    for n in range(50):
        folder = tmp_path / str(n)
        folder.mkdir()
        frozen_once(folder, chance.uniform(0.0, 0.4))


@pytest.mark.slow
def test_lo03_a_thousand_real_jobs_of_one_minute_are_sent_within_30_s(
    tmp_path: Path,
) -> None:
    script = 'echo "$PLANNER_KEY" >> count'
    plan = plan_of(
        *(row(f"j{n}", command=["/bin/sh", "-c", script]) for n in range(1000))
    )
    with ledger_in(tmp_path) as ledger:
        began = time.monotonic()
        tick = run_once(
            plan=plan,
            ledger=ledger,
            backends={"shell": shell_in(tmp_path)},
            now=at("02:00"),
            actor="test",
        )
        assert time.monotonic() - began < 30
    assert len(tick.started) == 1000
    count = tmp_path / "count"
    until(lambda: count.exists() and len(count.read_text().split()) == 1000)
    assert len(set(count.read_text().split())) == 1000


def test_the_daemon_goes_on_after_its_ledgers_server_was_started_anew(
    ledger_server: Server, tmp_path: Path
) -> None:
    url = ledger_server.new_database()
    planned(
        tmp_path,
        job("first", "true"),
        {**job("second", "true"), "earliest": '"01:00"'},
    )
    with daemon(tmp_path, f"{DAY}T00:59:53+00:00", PLANNER_LEDGER=url) as process:
        assert process.stdout is not None
        assert "sent      first" in process.stdout.readline()
        ledger_server.stop()
        ledger_server.start()
        # At the next full minute, or the one after if the start took its time.
        said = [process.stdout.readline() for _ in range(2)]
        process.terminate()
    assert [line.split(None, 1)[1].strip() for line in sorted(said)] == [
        "done      first in north",
        "sent      second in north",
    ]

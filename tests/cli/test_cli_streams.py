"""Terminals that lack characters, and programs that are started without streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from planner.operations.run_record import record_path
from tests.factories_executor import until
from tests.factories_workspace import DAY, a_workspace

SOLVE = (
    *(sys.executable, "-m", "planner", "solve"),
    *("--solver", "greedy", "--date", DAY),
)
PLANS = "outputs/plans/plan-*.parquet"


def test_what_a_locale_cannot_show_is_written_plainly(tmp_path: Path):
    a_workspace(tmp_path)
    ran = subprocess.run(
        SOLVE,
        cwd=tmp_path,
        env={**os.environ, "PYTHONIOENCODING": "latin-1"},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    shown = ran.stdout.decode("latin-1")
    assert "?" not in shown
    assert "@" in shown  # the strips, in characters that every encoding has


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_a_plan_is_written_where_a_stream_is_closed(tmp_path: Path, closed: str):
    a_workspace(tmp_path)
    ran = subprocess.run(
        ["sh", "-c", f'"$@" {closed}', "sh", *SOLVE], cwd=tmp_path, check=False
    )
    assert ran.returncode == 0
    assert len(list(tmp_path.glob(PLANS))) == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("words", ["solvers", "--version"])
def test_a_full_disk_behind_standard_output_is_named(
    words: str, unbuffered: str
) -> None:
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(
            [sys.executable, "-m", "planner", words],
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ran.stderr == "Error: standard output: No space left on device\n"
    assert ran.returncode == 1


def test_the_executor_sees_to_figures_and_alerts_though_it_cannot_tell(
    tmp_path: Path,
) -> None:
    a_workspace(tmp_path)
    once = [sys.executable, "-m", "planner", "execute", "--once", "--allow-root"]
    with Path("/dev/full").open("w") as full:
        ran = subprocess.run(once, cwd=tmp_path, stdout=full, check=False)
    assert ran.returncode == 1
    assert json.loads(record_path(tmp_path / "outputs").read_text())


def test_the_daemon_stays_where_what_it_tells_cannot_be_stored(tmp_path: Path) -> None:
    a_workspace(tmp_path)
    watch = [sys.executable, "-m", "planner", "execute", "--watch", "--json"]
    with Path("/dev/full").open("w") as full:
        daemon = subprocess.Popen(
            [*watch, "--allow-root"], cwd=tmp_path, stdout=full, stderr=full
        )
    try:
        until(record_path(tmp_path / "outputs").exists, seconds=60)
        assert daemon.poll() is None
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()

"""What a solve shows while it runs: on a terminal, in a file, for a program."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from planner.cli.progress import Line, solving
from solvers.progress import Progress
from tests.factories_workspace import DAY, a_workspace

COMMAND = """
import sys
from planner.cli import main
from planner.cli.app import App
main(sys.argv[2:], obj=App(progress_every_s=float(sys.argv[1])))
"""
PLAIN = re.compile(
    r"(auto|greedy|exact|price|annealing|neighbourhood): "
    r".*best plan [\d,.]+.*, \d+ s left"
)


@pytest.fixture
def crowded(tmp_path: Path) -> Path:
    """Day that no engine proves in the second or two that it gets."""
    jobs = [
        {
            "id": f"j{n:03}",
            "duration": f"{40 + 7 * (n % 17)}m",
            "power_kw": 0.1 + 0.013 * (n % 29),
            "resources": f"{{ cpu: {1 + n % 2} }}",
        }
        for n in range(40)
    ]
    return a_workspace(tmp_path, *jobs).root


def command(root: Path, every_s: float, *words: str, limit_s: float = 2.0) -> list[str]:
    limits = ["--date", DAY, "--time-limit", str(limit_s), "--gap", "0"]
    call = ["-C", str(root), "solve", *limits, "--threads", "1", *words]
    return [sys.executable, "-c", COMMAND, str(every_s), *call]


def on_a_terminal(words: list[str]) -> tuple[str, str]:
    """Standard output, and all that a terminal behind stderr receives."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=slave, text=True, env=environment
    ) as process:
        os.close(slave)
        seen = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # Linux says so when the last writer is gone
                break
            if not part:
                break
            seen += part
        os.close(master)
        said, _ = process.communicate()
    return said, seen.decode()


def test_a_terminal_sees_one_line_that_is_redrawn_and_then_gone(crowded):
    began = time.monotonic()
    said, seen = on_a_terminal(command(crowded, 0.01, "--json"))
    elapsed = time.monotonic() - began
    json.loads(said)
    drawn = re.findall(r"gap [\d.]+ %, \d+ s left", seen)
    assert 2 <= len(drawn) <= 5 * elapsed + 3
    assert "exact: " in seen
    assert seen.rstrip().endswith("\x1b[2K")  # the line is wiped off
    assert "s left\r\n" not in seen


def test_a_file_gets_plain_lines_and_no_bare_carriage_returns(crowded):
    done = subprocess.run(
        command(crowded, 0.2), capture_output=True, text=True, check=False
    )
    lines = [line for line in done.stderr.splitlines() if PLAIN.fullmatch(line)]
    assert 2 <= len(lines) <= 30, done.stderr
    assert "\r" not in done.stderr
    assert "\x1b" not in done.stderr
    assert "s left" not in done.stdout


def test_a_program_that_reads_json_is_not_told_of_progress(crowded):
    done = subprocess.run(
        command(crowded, 0.05, "--json", limit_s=0.5),
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout)["jobs"] == 40
    assert done.stderr == ""


def test_planning_goes_on_when_nobody_reads_the_progress(crowded):
    with subprocess.Popen(
        command(crowded, 0.05, limit_s=0.5),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        process.stderr.close()
        process.communicate()
    assert (crowded / "outputs" / "plans" / f"plan-{DAY}.parquet").exists()


def test_time_left_runs_down_while_a_silent_engine_works():
    now = [0.0]
    line = Line(lambda: now[0])
    line.tell(Progress(solver="exact", best=2.0, bound=1.0, time_limit_s=60))
    assert (
        line.text() == "exact: bound 1.00000, best plan 2.00000, gap 50.0 %, 60 s left"
    )
    now[0] = 45.0
    assert line.text().endswith("15 s left")
    now[0] = 99.0
    assert line.text().endswith(" 0 s left")


def test_a_new_stage_takes_the_line_over():
    line = Line(time.monotonic)
    line.tell(Progress(solver="price", time_limit_s=60))
    line.say("checking every limit and number")
    assert line.text() == "checking every limit and number"


def test_what_is_not_known_is_left_out():
    assert solving(Progress(solver="price"), 7.2) == "price: 7 s left"
    known = Progress(solver="price", iteration=1200, best=1234.5678, bound=1234.0)
    assert solving(known, 3.0) == (
        "price: iteration 1,200, bound 1,234.00, best plan 1,234.57, gap 0.05 %, "
        "3 s left"
    )

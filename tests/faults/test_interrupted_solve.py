"""A solve that is told to end writes the best plan so far, and says so."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from outputs.plan_file import read_plan
from tests.factories_workspace import DAY, a_workspace

LONG = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job may ignore it
from planner.cli import main
main(sys.argv[1:])
"""
PATIENCE_S = 60.0


def crowded(tmp_path: Path) -> Path:
    """Day that no engine proves in a second."""
    jobs = [
        {
            "id": f"j{n:03}",
            "duration": f"{40 + 7 * (n % 17)}m",
            "power_kw": 0.1 + 0.013 * (n % 29),
            "resources": f"{{ cpu: {1 + n % 3} }}",
        }
        for n in range(60)
    ]
    return a_workspace(tmp_path, *jobs).root


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_search_with_the_best_plan_so_far(tmp_path, number):
    words = ["-C", str(crowded(tmp_path)), "-v", "solve", "--date", DAY]
    limits = ["--time-limit", "300", "--gap", "0", "--threads", "1"]
    command = [sys.executable, "-c", LONG, *words, *limits]
    began = time.monotonic()
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "auto: " in line:
                break
        time.sleep(1.0)  # into the search; a signal before it writes nothing
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130, said
    assert time.monotonic() - began < PATIENCE_S
    plan = read_plan(tmp_path / "outputs" / "plans" / f"plan-{DAY}.parquet")
    assert plan.rows.num_rows == 60
    assert any("stopped by the user" in text for text in plan.meta.warnings)

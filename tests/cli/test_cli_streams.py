"""Terminals that lack characters, and programs that are started without streams."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

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

"""What is kept of services survives ``kill -9`` at any step."""

from __future__ import annotations

import fcntl
import json
import subprocess
import sys
from pathlib import Path

import pytest

from forecasts.whole_file import write_whole


def test_killed_writer_leaves_whole_answers_and_issues(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.drivers_kept", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    rounds = told["rounds"]
    assert len(rounds) > 10
    newest = 1
    for each in rounds:
        # the answer of this round or the one before it, whole
        assert each["version"] in (newest, each["n"])
        newest = each["version"]
    assert newest == rounds[-1]["n"]
    # nobody mends an issue: all that were ever there are whole
    assert len(told["rows"]) == rounds[-1]["issues"] == 2
    assert set(told["rows"]) == {24}
    # a later writer removes what the killed ones left
    assert told["hidden"] == []


def test_leftovers_are_removed_but_not_what_somebody_is_writing(
    tmp_path: Path,
) -> None:
    (tmp_path / ".a.json.99999.part").write_bytes(b"half")
    with (tmp_path / ".b.json.99999.part").open("wb") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        write_whole(tmp_path / "a.json", b"whole")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [".b.json.99999.part", "a.json"]


def test_disk_that_refuses_leaves_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "in-the-way"
    folder.write_bytes(b"")
    with pytest.raises(OSError, match="in-the-way"):
        write_whole(folder / "a.json", b"x")
    assert folder.read_bytes() == b""

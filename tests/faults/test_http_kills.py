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


LIMITED = """
import resource, signal, sys
from pathlib import Path
from forecasts.whole_file import write_whole

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # then a write is refused, as by a disk
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_whole(Path(sys.argv[1]), b"x" * 2000)
except OSError as error:
    print(error.filename)
"""


def test_a_file_that_the_disk_cannot_hold_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    command = [sys.executable, "-c", LIMITED, str(path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    assert told.stdout == f"{path}\n"
    assert list(tmp_path.iterdir()) == []


def test_disk_that_refuses_leaves_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "in-the-way"
    folder.write_bytes(b"")
    with pytest.raises(OSError, match="in-the-way"):
        write_whole(folder / "a.json", b"x")
    assert folder.read_bytes() == b""

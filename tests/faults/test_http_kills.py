"""What is kept of services survives ``kill -9`` at any instant."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pyarrow.parquet as pa_parquet

from forecasts.http.answers import Answers
from forecasts.whole_file import write_whole
from tests.live_kill_loop import REQUEST, body_of, main
from tests.replay_services import NOW

KILLS = 12


def killed_writer(root: Path, *, after_s: float) -> None:
    """Write in another process until it has begun, and a little longer."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(writing, 1)
        main(root)
    os.close(writing)
    assert os.read(reading, 1) == b"."
    # spread over one round of writing, so that kills fall into all of it
    end = time.monotonic() + after_s
    while time.monotonic() < end:
        os.read(reading, 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reading)


def test_killed_writer_leaves_whole_answers_and_issues(tmp_path: Path) -> None:
    for kill in range(KILLS):
        killed_writer(tmp_path, after_s=0.0015 * kill)
        kept = Answers(folder=tmp_path / "answers").same(REQUEST)
        assert kept is not None
        version = int((kept.fetched_at - NOW).total_seconds())
        assert kept.body == body_of(version)
        for path in (tmp_path / "history").glob("*.parquet"):
            table = pa_parquet.read_table(path, page_checksum_verification=True)
            assert table.num_rows == 24


def test_leftovers_of_the_killed_are_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".a.json.99999.part").write_bytes(b"half")
    (tmp_path / ".b.json.99999.part").write_bytes(b"of another file")
    write_whole(tmp_path / "a.json", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        ".b.json.99999.part",
        "a.json",
    ]


def test_disk_that_refuses_leaves_what_was_there(tmp_path: Path) -> None:
    folder = tmp_path / "in-the-way"
    folder.write_bytes(b"")
    try:
        write_whole(folder / "a.json", b"x")
    except OSError:
        assert folder.read_bytes() == b""
    else:
        raise AssertionError("a file is no folder")

"""Faults PL-01, PL-02, PL-03 and PL-08 on real files and processes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any, BinaryIO

import pytest

from outputs.errors import LockHeldError, PlanStorageError
from outputs.plan_file import read_plan, write_plan
from outputs.storage import exclusive_lock, probe, write_atomically
from tests.factories_plan import small_plan

ROOT = Path(__file__).parents[2]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
needs_strace = pytest.mark.skipif(
    shutil.which("strace") is None, reason="strace is not installed"
)


def drive(mode: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.drivers_plan", mode, str(folder)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    if '"skip"' in done.stderr:
        pytest.skip(f"processes cannot be traced here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def require_old_or_new(result: dict[str, Any], least_steps: int) -> None:
    rounds = result["rounds"]
    assert len(rounds) > least_steps
    assert {seen["serial"] for seen in rounds[:-1]} <= {1, 2}
    assert rounds[0]["serial"] == 1
    assert rounds[-1]["serial"] == 2
    assert all(seen["files"] == ["plan-2026-11-22.parquet"] for seen in rounds)
    assert result["hidden"] == 0, "a later write removes what the dead left"


def test_pl01_kill_before_each_call_shows_the_old_or_the_new_plan(
    tmp_path: Path,
) -> None:
    require_old_or_new(drive("killed_between_calls", tmp_path), least_steps=5)


@needs_strace
def test_pl01_kill_at_each_system_call_shows_the_old_or_the_new_plan(
    tmp_path: Path,
) -> None:
    require_old_or_new(drive("killed_in_kernel", tmp_path), least_steps=15)


@needs_strace
def test_pl02_error_at_each_system_call_keeps_the_old_plan(tmp_path: Path) -> None:
    rounds = drive("refused_by_kernel", tmp_path)["rounds"]
    failed = [seen for seen in rounds if seen["exit"] == 1]
    assert {seen["call"] for seen in failed} >= {"write", "fsync"}
    assert {seen["exit"] for seen in rounds} == {0, 1}
    assert all(seen["hidden"] == 0 for seen in rounds)
    assert all(seen["files"] == ["plan-2026-11-22.parquet"] for seen in rounds)
    # once the new plan is in place, only the flush of its folder can still fail
    late = [seen for seen in failed if seen["serial"] == 2]
    assert [seen["call"] for seen in late] == ["fsync", "fsync"][: len(late)]
    assert all(seen["serial"] == 1 for seen in failed if seen not in late)


def test_file_is_flushed_before_the_rename_and_its_folder_after(
    tmp_path: Path,
) -> None:
    calls: list[str] = []

    def note(frame: FrameType, event: str, function: Any) -> None:
        name = getattr(function, "__name__", "")
        if event == "c_call" and name in ("fsync", "replace", "rename"):
            calls.append(name)

    sys.setprofile(note)
    try:
        write_atomically(tmp_path / "plan", lambda file: write_bytes(file, 9))
    finally:
        sys.setprofile(None)
    assert calls == ["fsync", "replace", "fsync"]


def test_pl02_limit_on_file_size_keeps_the_old_plan(tmp_path: Path) -> None:
    assert drive("limited", tmp_path) == {
        "serial": 1,
        "files": ["plan-2026-11-22.parquet"],
        "exit": 1,
        "hidden": 0,
    }


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@needs_root
def test_pl02_full_disk_keeps_the_old_plan_and_says_what_to_do(
    tiny_disk: Path,
) -> None:
    path = tiny_disk / "plan.parquet"
    write_plan(small_plan(), path)
    (tiny_disk / "ballast").write_bytes(bytes(32 * 1024))
    with pytest.raises(PlanStorageError, match="free some space"):
        write_atomically(path, lambda file: write_bytes(file, 32 * 1024))
    assert read_plan(path).meta.serial == 1
    assert sorted(p.name for p in tiny_disk.iterdir()) == ["ballast", "plan.parquet"]


@needs_root
def test_pl03_read_only_file_system_is_found_at_the_start(tiny_disk: Path) -> None:
    remount = ["mount", "-o", "remount,ro", str(tiny_disk)]
    subprocess.run(remount, check=True)
    with pytest.raises(PlanStorageError, match="read-only; choose another"):
        probe(tiny_disk)
    with pytest.raises(PlanStorageError, match="read-only; choose another"):
        probe(tiny_disk / "plans")


def test_pl03_folder_without_write_access_is_found_at_the_start(
    tmp_path: Path,
) -> None:
    assert drive("unprivileged", tmp_path) == {"exit": 3}


def test_pl03_file_in_the_way_of_the_folder_is_found_at_the_start(
    tmp_path: Path,
) -> None:
    (tmp_path / "outputs").write_text("a file")
    with pytest.raises(PlanStorageError, match="a file is in the way"):
        probe(tmp_path / "outputs")
    with pytest.raises(PlanStorageError, match="a file is in the way"):
        probe(tmp_path / "outputs" / "plans")


def test_what_a_probe_left_when_it_was_killed_is_gone_after_the_next(
    tmp_path: Path,
) -> None:
    left: list[Path] = []
    with pytest.MonkeyPatch.context() as patch:  # the kernel's unlink, for one probe
        patch.setattr(Path, "unlink", lambda path, **_: left.append(path))
        probe(tmp_path)
    assert left[-1].exists()
    probe(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_pl03_missing_folder_is_made_and_left_clean(tmp_path: Path) -> None:
    folder = tmp_path / "outputs" / "plans"
    probe(folder)
    assert list(folder.iterdir()) == []


def test_pl03_unfinished_file_lies_beside_its_target(tmp_path: Path) -> None:
    beside: list[str] = []

    def write(file: BinaryIO) -> None:
        beside.extend(path.name for path in tmp_path.iterdir())
        file.write(b"x")

    write_atomically(tmp_path / "plan", write)
    assert len(beside) == 1
    assert beside[0].startswith(".plan.")
    assert [path.name for path in tmp_path.iterdir()] == ["plan"]


def test_pl08_of_eight_planners_one_works_a_hundred_times(tmp_path: Path) -> None:
    rounds = drive("competing", tmp_path)["rounds"]
    assert len(rounds) == 100
    assert all(r == {"codes": [0, *[7] * 7], "mine": True} for r in rounds)


def test_pl08_second_planner_is_told_who_works(tmp_path: Path) -> None:
    with (
        exclusive_lock(tmp_path),
        pytest.raises(LockHeldError, match=rf"process {os.getpid()}\)"),
        exclusive_lock(tmp_path),
    ):
        pass
    with exclusive_lock(tmp_path):
        pass


def test_pl08_lock_of_a_killed_planner_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, time, pathlib\n"
        "from outputs.storage import exclusive_lock\n"
        "with exclusive_lock(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(LockHeldError), exclusive_lock(tmp_path):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with exclusive_lock(tmp_path):
            pass


def test_failing_writer_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "plan"
    path.write_bytes(b"old")

    def write(file: BinaryIO) -> None:
        file.write(b"new")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, write)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["plan"]


def test_unfinished_file_of_a_living_writer_is_not_removed(tmp_path: Path) -> None:
    path = tmp_path / "plan"

    def write(file: BinaryIO) -> None:
        write_atomically(path, lambda inner: write_bytes(inner, 1))
        file.write(b"outer")

    write_atomically(path, write)
    assert path.read_bytes() == b"outer"


def test_storage_error_names_reason_and_remedy(tmp_path: Path) -> None:
    def write(file: BinaryIO) -> None:
        raise OSError(errno.EDQUOT, "quota")

    with pytest.raises(PlanStorageError, match="quota and run again"):
        write_atomically(tmp_path / "plan", write)


def write_bytes(file: BinaryIO, size: int) -> None:
    file.write(os.urandom(size))

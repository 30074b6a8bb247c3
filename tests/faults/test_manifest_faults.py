"""Files of job manifests: each fault is refused or told, none is silently wrong."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from inputs.files import SETTLE_S
from inputs.manifests import load_jobs
from tests.factories_inputs import (
    grid,
    job,
    load,
    message,
    workspace,
    written,
)

BOMB = "\n".join(
    ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
    + ["jobs: *a9"]
)

LIMITED = """
import json, os, resource, sys
import pandas  # which pyarrow loads for its first array; here once for all
from pathlib import Path
from inputs.files import SETTLE_S
from inputs.manifests import load_jobs
from inputs.timegrid import day_grid
from inputs.workspace import load_workspace
from datetime import date

for folder in sys.argv[1:]:
    if os.fork():
        os.wait()
        continue
    workspace = load_workspace(Path(folder), environment={})
    grid = day_grid(date(2026, 11, 22), timezone="UTC", slot_minutes=15)
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    used = int(status["VmSize"].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), -1))
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    (error,) = load_jobs(workspace, grid).broken
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime < 2
    print(json.dumps(str(error)), flush=True)
    os._exit(0)
"""
DEEP = "64 levels"
BOMBS = {
    "bomb.yaml": (BOMB, "10,000,000 values, aliases unfolded"),
    "deep.yaml": ("jobs: " + "[" * 5_000, DEEP),
    "deep2.yaml": ("\n".join(" " * i + "a:" for i in range(5_000)), DEEP),
    "deep.json": ('{"jobs":' + "[" * 100_000, DEEP),
    "deep.toml": ("jobs = " + "[" * 100_000, DEEP),
}


@pytest.fixture(scope="module")
def said_of_bombs(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], str]:
    """What was said of the bombs, each within limits of its own, and tracebacks."""
    if sys.platform != "linux":
        pytest.skip("limits address space")
    folder = tmp_path_factory.mktemp("bombs")
    for name, (content, _) in BOMBS.items():
        (folder / name).mkdir()
        workspace(folder / name, {name: content})
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, *(str(folder / name) for name in BOMBS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return [json.loads(line) for line in done.stdout.splitlines()], done.stderr


@pytest.mark.parametrize("name", BOMBS)
def test_in_01_bombs_and_deep_nesting_are_refused_within_limits(
    said_of_bombs: tuple[list[str], str], name: str
) -> None:
    told, tracebacks = said_of_bombs
    _, limit = BOMBS[name]
    assert [limit in said for said in told if said.startswith(name)] == [True], (
        told,
        tracebacks,
    )


def test_in_01_a_file_beyond_the_size_limit_is_refused(tmp_path: Path) -> None:
    made = workspace(tmp_path, {"jobs.yaml": b""})
    with (tmp_path / "jobs.yaml").open("wb") as file:
        file.truncate((64 << 20) + 1)
    assert "at most 64 MiB" in message(load_jobs(made, grid()))


@pytest.mark.parametrize(
    "tag", ["!!python/object/apply:os.system", "!!python/name:os.system", "!x", "!!int"]
)
def test_in_02_yaml_tags_are_refused_and_nothing_runs(tmp_path: Path, tag: str) -> None:
    marker = tmp_path / "marker"
    text = message(load(tmp_path, {"a.yaml": f"jobs: {tag} ['touch {marker}']\n"}))
    assert "a.yaml:1" in text
    assert "YAML without tags" in text
    assert not marker.exists()


HEAD = "id,command,duration,power_kw\n"


@pytest.mark.parametrize("name", ["a.csv", "a.yaml", "a.json", "a.toml"])
def test_in_10_a_byte_order_mark_is_accepted(tmp_path: Path, name: str) -> None:
    data = b"\xef\xbb\xbf" + written([job()], name.partition(".")[2])
    assert load(tmp_path, {name: data}).jobs.ids.to_pylist() == ["a"]


@pytest.mark.parametrize(
    ("content", "place", "told"),
    [
        ((HEAD + "a,x,1h,2\n").encode("utf-16"), "a.csv:1", "UTF-8"),
        ((HEAD + "a,x,1h,2\n").encode("utf-16-le"), "a.csv:1", "UTF-8"),
        (
            (HEAD + "a,x,1h,2\nb,é,1h,2\n").encode("latin-1"),
            "a.csv:3, column 2",
            "0xe9",
        ),
        ((HEAD + "a,x,1h,2\nç").encode("latin-1"), "a.csv:3, column 1", "0xe7"),
        (b"id;command;duration;power_kw\na;x;1h;2,5\n", "a.csv:1", "commas"),
        ((HEAD + 'a,x,1h,"2,5"\n').encode(), 'a.csv:2, job "a", power_kw', "2,5"),
        ((HEAD + "a,x,1h,2\nb,x,1h\n").encode(), "a.csv:3", "4 columns"),
        ((HEAD + "a,x,1h,2\nb,x,1h,2,9\n").encode(), "a.csv:3", "found 5 columns"),
        (b"id,command,power_kw\na,x,2\n", "a.csv:1, duration", "no such column"),
        (b"id,id,command\na,a,x\n", "a.csv:1", "each column once"),
        (b"id,,command\na,a,x\n", "a.csv:1", "a name in each column"),
        (b"", "a.csv", "a header row"),
        ((HEAD + "a,it's x,1h,2\n").encode(), "command", "a quote is not closed"),
    ],
)
def test_in_10_other_dialects_are_refused(
    tmp_path: Path, content: bytes, place: str, told: str
) -> None:
    text = message(load(tmp_path, {"a.csv": content}))
    assert place in text
    assert told in text


def test_in_10_reordered_columns_and_quoted_newlines_are_read(tmp_path: Path) -> None:
    csv = 'power_kw,id,duration,command\r\n2,a,1h,"x\r\n y"\r\n3,b,2h,"z ""q"""\r\n'
    jobs = load(tmp_path, {"a.csv": csv}).jobs
    assert jobs.ids.to_pylist() == ["a", "b"]
    assert jobs.command.to_pylist() == [["x", "y"], ["z", "q"]]


def test_in_10_rows_are_counted_as_a_spreadsheet_does(tmp_path: Path) -> None:
    csv = HEAD + 'a,"x\n\n y",1h,2\n\nb,x,1h,-2\n'
    assert 'a.csv:4, job "b"' in message(load(tmp_path, {"a.csv": csv}))


@pytest.mark.parametrize("broken", ["jobs: [", "nonsense", "jobs: 5", "[1]", "{}"])
def test_in_12_a_broken_manifest_leaves_the_others_planned(
    tmp_path: Path, broken: str
) -> None:
    files = {
        "a.yaml": written([job(id="a")], "yaml"),
        "bad.yaml": broken,
        "b.csv": written([job(id="b")], "csv"),
        "c.parquet": written([job(id="c")], "parquet"),
    }
    loaded = load(tmp_path, files)
    assert loaded.jobs.ids.to_pylist() == ["a", "b", "c"]
    assert loaded.jobs.source_paths == ("a.yaml", "b.csv", "c.parquet")
    assert loaded.jobs.source.tolist() == [0, 1, 2]
    assert [path for path, _ in loaded.files] == ["a.yaml", "b.csv", "c.parquet"]
    (error,) = loaded.broken
    assert error.findings[0].path == "bad.yaml"


@pytest.mark.parametrize("name", ["gone.yaml", "folder.yaml", "pipe.csv", "x.txt"])
def test_in_12_what_is_not_a_manifest_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.yaml").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "x.txt").write_text("hello")
    text = message(load(tmp_path, {}, jobs=[name]))
    assert name in text
    assert "found this" not in text


@pytest.mark.parametrize("reads", [40, pytest.param(1_000, marks=pytest.mark.slow)])
def test_in_13_a_file_being_rewritten_is_old_or_new_or_refused(
    tmp_path: Path, reads: int
) -> None:
    """Half a CSV is a valid CSV: only looking twice tells that it was half."""
    versions = [
        written([job(id=f"{v}{i}") for i in range(n)], "csv").splitlines(True)
        for v, n in (("old", 40), ("new", 80))
    ]
    made = workspace(tmp_path, {"jobs.csv": b"".join(versions[0])})
    stop, stalls = threading.Event(), []

    def rewrite() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            lines = versions[turn % 2]
            with (tmp_path / "jobs.csv").open("wb", buffering=0) as file:
                for start in range(0, len(lines), 10):
                    before = time.monotonic()
                    file.write(b"".join(lines[start : start + 10]))
                    stop.wait(0.001)
                    if (now := time.monotonic()) - before > SETTLE_S / 2:
                        stalls.append((before, now))
            stop.wait(0.01 * (turn % 10))

    outcomes = []
    writer = threading.Thread(target=rewrite)
    writer.start()
    try:
        for _ in range(reads):
            began = time.monotonic()
            n_jobs = len(load_jobs(made, grid()).jobs)
            outcomes.append((began, time.monotonic(), n_jobs))
    finally:
        stop.set()
        writer.join()
    # A writer that a busy machine stops for longer than readers wait looks done.
    found = {
        n_jobs
        for began, ended, n_jobs in outcomes
        if not any(since < ended and began < until for since, until in stalls)
    }
    assert found <= {0, 40, 80}
    assert found & {40, 80}


def test_in_13_the_digest_is_of_the_bytes_parsed(tmp_path: Path) -> None:
    data = written([job()], "yaml")
    loaded = load(tmp_path, {"jobs.yaml": data})
    assert loaded.files == (("jobs.yaml", hashlib.sha256(data).hexdigest()),)


@pytest.mark.parametrize(
    ("files", "note"),
    [
        ({}, "there are no jobs to plan"),
        ({"a.yaml": "jobs: []\n"}, "a.yaml holds no jobs"),
        ({"a.csv": HEAD}, "a.csv holds no jobs"),
        ({"a.json": '{"jobs": []}'}, "a.json holds no jobs"),
    ],
)
def test_in_14_no_jobs_is_valid_and_noted(
    tmp_path: Path, files: dict[str, str], note: str
) -> None:
    loaded = load(tmp_path, files)
    assert len(loaded.jobs) == 0
    assert loaded.jobs.allowed.shape == (0, 2)
    assert loaded.broken == ()
    assert note in loaded.notes


def test_in_14_a_glob_without_match_is_noted(tmp_path: Path) -> None:
    loaded = load(tmp_path, {}, jobs=["*.yaml"])
    assert "no manifest matches *.yaml" in loaded.notes


def test_json_bytes_are_strict(tmp_path: Path) -> None:
    twice = '{"jobs": [], "jobs": []}'
    assert "the key twice" in message(load(tmp_path, {"a.json": twice}))
    for text in ("{'jobs': []}", '{"jobs": [],}', '{"jobs": []} x', "\ufeff\ufeff{}"):
        assert "JSON" in message(load(tmp_path, {"a.json": text}))

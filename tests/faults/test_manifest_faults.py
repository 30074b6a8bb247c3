"""Faults of job manifests: each is refused or told, none is silently wrong."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import threading
import time
from datetime import date
from pathlib import Path

import pytest

from inputs.files import SETTLE_S
from inputs.manifests import load_jobs
from tests.factories_inputs import (
    FORMATS,
    grid,
    job,
    load,
    load_as,
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
import resource, sys
from pathlib import Path
from inputs.files import SETTLE_S
from inputs.manifests import load_jobs
from inputs.timegrid import day_grid
from inputs.workspace import load_workspace
from datetime import date

workspace = load_workspace(Path(sys.argv[1]), environment={})
grid = day_grid(date(2026, 11, 22), timezone="UTC", slot_minutes=15)
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
used = int(status["VmSize"].split()[0]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), -1))
cpu = resource.getrusage(resource.RUSAGE_SELF)
(error,) = load_jobs(workspace, grid).broken
after = resource.getrusage(resource.RUSAGE_SELF)
assert after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime < 2
print(error)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits address space")
@pytest.mark.parametrize(
    ("name", "content", "limit"),
    [
        ("bomb.yaml", BOMB, "10,000,000 values, aliases unfolded"),
        ("deep.yaml", "jobs: " + "[" * 5_000, "64 levels"),
        ("deep2.yaml", "\n".join(" " * i + "a:" for i in range(5_000)), "64 levels"),
        ("deep.json", '{"jobs":' + "[" * 100_000, "64 levels"),
        ("deep.toml", "jobs = " + "[" * 100_000, "64 levels"),
    ],
)
def test_in_01_bombs_and_deep_nesting_are_refused_within_limits(
    tmp_path: Path, name: str, content: str, limit: str
) -> None:
    workspace(tmp_path, {name: content})
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(name)
    assert limit in done.stdout


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


def yaml_job(field: str, spelling: str) -> str:
    fields = {"id": "a", "command": "[x]", "duration": "1h", "power_kw": "1"}
    lines = [f"  {k}: {v}" for k, v in {**fields, field: spelling}.items()]
    return "jobs:\n-\n" + "\n".join(lines) + "\n"


@pytest.mark.parametrize("clock", ["22:30", "07:30", "01:00", "1:05"])
def test_in_03_clock_times_mean_what_is_written(tmp_path: Path, clock: str) -> None:
    plain = load(tmp_path, {"a.yaml": yaml_job("deadline", clock)})
    quoted = load_as(tmp_path, [job(command=["x"], power_kw=1, deadline=clock)], "json")
    assert plain.broken == quoted.broken == ()
    assert plain.jobs.spec == quoted.jobs.spec


@pytest.mark.parametrize("name", ["NO", "on", "off", "y", "yes", "Null0", "1e3x"])
def test_in_03_words_stay_text(tmp_path: Path, name: str) -> None:
    loaded = load(tmp_path, {"a.yaml": yaml_job("id", name)})
    assert loaded.jobs.ids.to_pylist() == [name]


@pytest.mark.parametrize(
    "name", ["010", "0o10", "0x1F", "1_000", "12", "1.5", "true", ".inf", "1e3"]
)
def test_in_03_an_id_that_could_be_something_else_is_refused(
    tmp_path: Path, name: str
) -> None:
    text = message(load(tmp_path, {"a.yaml": yaml_job("id", name)}))
    assert "a.yaml:3" in text
    assert "id: found" in text
    assert "quote it" in text or name == "true"


@pytest.mark.parametrize("number", ["010", "0x10", "1_0", "0b1", "1:30"])
def test_in_03_doubtful_numbers_are_refused(tmp_path: Path, number: str) -> None:
    text = message(load(tmp_path, {"a.yaml": yaml_job("power_kw", number)}))
    assert f"power_kw: found {number}" in text.replace('"', "")


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("number", [float("nan"), float("inf"), -1.0, 0, 1e13])
@pytest.mark.parametrize(
    "field", ["power_kw", "energy_kwh", "weight", "duration", "resources.cpu"]
)
def test_in_04_impossible_numbers_are_refused(
    tmp_path: Path, format_: str, number: float, field: str
) -> None:
    name, _, key = field.partition(".")
    value = {key: number} if key else number
    wrong = job(**{"power_kw": None if field == "energy_kwh" else 1, name: value})
    text = message(load_as(tmp_path, [job(id="ok"), wrong], format_))
    assert 'job "a"' in text
    assert field in text


@pytest.mark.parametrize("name", ["a.yaml", "a.json", "a.toml", "a.csv"])
def test_in_04_a_number_beyond_floats_is_refused(tmp_path: Path, name: str) -> None:
    data = written([job(power_kw=7.25)], name.partition(".")[2])
    text = message(load(tmp_path, {name: data.replace(b"7.25", b"1e999")}))
    assert "power_kw: found inf" in text


def test_in_04_a_number_of_many_digits_is_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "a.json", "a.csv", "a.toml"):
        data = written([job(power_kw=7.25)], name.partition(".")[2])
        digits = data.replace(b"7.25", b"9" * 5_000)
        assert name in message(load(tmp_path, {name: digits}))


@pytest.mark.parametrize("format_", FORMATS)
def test_in_06_an_id_twice_in_one_file_is_refused(tmp_path: Path, format_: str) -> None:
    jobs = [job(), job(id="b"), job(power_kw=3)]
    text = message(load_as(tmp_path, jobs, format_))
    assert "the id a second time" in text
    first = text.partition("(first at ")[2].partition(")")[0]
    assert first.startswith(f"jobs.{format_}:")


def test_in_06_an_id_in_two_files_leaves_the_later_one_out(tmp_path: Path) -> None:
    files = {
        "one.yaml": written([job(), job(id="b")], "yaml"),
        "two.csv": written([job(id="c"), job(id="b")], "csv"),
    }
    loaded = load(tmp_path, files)
    assert loaded.jobs.ids.to_pylist() == ["a", "b"]
    (error,) = loaded.broken
    assert "two.csv:3" in str(error)
    assert "first at one.yaml:" in str(error)


def ring(n: int) -> list[dict[str, object]]:
    return [job(id=f"j{i}", depends_on=[f"j{(i + 1) % n}"]) for i in range(n)]


@pytest.mark.parametrize("n", [1, 2, 1_000])
def test_in_07_cycles_are_shown(tmp_path: Path, n: int) -> None:
    loaded = load_as(tmp_path, ring(n), "json")
    (error,) = loaded.broken
    (told,) = [f for f in error.findings if "a cycle of" in f.found]
    assert told.found.startswith(f"a cycle of {n:,}: j0 → ")
    assert told.found.endswith(" → j0")
    assert (told.job, told.field) == ("j0", "depends_on")


def test_in_07_a_cycle_over_two_files_is_told_in_both(tmp_path: Path) -> None:
    files = {
        "one.json": written([job(id="a", depends_on=["b"])], "json"),
        "two.csv": written([job(id="b", depends_on=["a"])], "csv"),
    }
    assert ["a cycle of 2" in str(e) for e in load(tmp_path, files).broken] == [
        True
    ] * 2


def test_in_07_a_missing_dependency_is_named(tmp_path: Path) -> None:
    jobs = [job(id="train"), job(id="b", depends_on=["trian"])]
    assert "did you mean train?" in message(load_as(tmp_path, jobs, "json"))


def test_in_07_a_dense_graph_is_checked_in_linear_time(tmp_path: Path) -> None:
    n = 1_500
    jobs = [
        job(id=f"j{i}", depends_on=[f"j{k}" for k in range(max(0, i - 40), i)])
        for i in range(n)
    ]
    jobs[0]["depends_on"] = [f"j{i}" for i in range(n)]
    assert "a cycle of 1: j0 → j0" in message(load_as(tmp_path, jobs, "json"))


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    "id_",
    [
        "../x",
        "/etc/passwd",
        "a\nb",
        "a\n",
        "-rf",
        "x" * 300,
        "a b",
        "é",
        "a[0]",
        "$(x)",
    ],
)
def test_in_08_unsafe_ids_are_refused(tmp_path: Path, format_: str, id_: str) -> None:
    folder = tmp_path / "site" / "team"
    folder.mkdir(parents=True)
    before = set(tmp_path.rglob("*"))
    text = message(load_as(folder, [job(id=id_)], format_))
    assert "id: found" in text
    assert "no leading dash" in text
    assert len(text.splitlines()) == 1
    new = set(tmp_path.rglob("*")) - before
    assert {path.name for path in new} <= {"planner.toml", f"jobs.{format_}"}


@pytest.mark.parametrize("format_", ["json", "csv", "parquet"])
def test_in_08_a_zero_byte_is_refused(tmp_path: Path, format_: str) -> None:
    assert "id" in message(load_as(tmp_path, [job(id="a\0b")], format_))
    told = message(load_as(tmp_path, [job(command=["a", "b\0"])], format_))
    assert "command" in told


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


MISSPELT = {
    "command": "comand",
    "duration": "duraton",
    "power_kw": "power_kW",
    "energy_kwh": "energy_kw",
    "earliest": "earlyest",
    "deadline": "dedline",
    "max_delay": "maxdelay",
    "regions": "region",
    "home_region": "homeregion",
    "data_gb": "datagb",
    "weight": "wieght",
    "interruptible": "interuptible",
    "depends_on": "dependson",
    "team": "taem",
    "executor": "exector",
    "retries": "retry",
    "timeout": "time_out",
    "on_missed": "onmissed",
    "resources": "resource",
    "labels": "label",
}


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(("right", "wrong"), MISSPELT.items())
def test_in_11_misspelt_fields_are_refused_with_the_nearest_name(
    tmp_path: Path, format_: str, right: str, wrong: str
) -> None:
    text = message(load_as(tmp_path, [job(**{wrong: "1"})], format_))
    assert f"{wrong}: found an unknown" in text
    assert f"did you mean {right}" in text


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


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    ("day", "clock", "told"),
    [
        ("2026-03-29", "02:30", "02:30 is skipped on 2026-03-29 in Europe/Berlin"),
        ("2026-10-25", "02:30", "2026-10-25T02:30+02:00 or 2026-10-25T02:30+01:00"),
        ("2026-11-22", "2026-11-22T02:30", "without an offset"),
        ("2026-11-22", "2026-11-22", "without an offset"),
        ("2026-11-22", "24:30", 'from "00:00" to "24:00"'),
        ("2026-11-22", "half past", "an instant with an offset"),
    ],
)
def test_in_15_times_that_do_not_mean_one_instant_are_refused(
    tmp_path: Path, format_: str, day: str, clock: str, told: str
) -> None:
    wrong = [job(deadline=clock)]
    text = message(load_as(tmp_path, wrong, format_, day=date.fromisoformat(day)))
    assert told in text
    assert "deadline" in text


def test_json_bytes_are_strict(tmp_path: Path) -> None:
    twice = '{"jobs": [], "jobs": []}'
    assert "the key twice" in message(load(tmp_path, {"a.json": twice}))
    for text in ("{'jobs': []}", '{"jobs": [],}', '{"jobs": []} x', "\ufeff\ufeff{}"):
        assert "JSON" in message(load(tmp_path, {"a.json": text}))

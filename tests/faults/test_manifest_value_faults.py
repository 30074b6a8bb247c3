"""What manifests say: a doubtful id, number, time or dependency is refused or told."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.factories_inputs import (
    FORMATS,
    job,
    load,
    load_as,
    message,
    written,
)


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

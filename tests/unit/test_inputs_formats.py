"""The same jobs mean the same in every manifest format."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from inputs.jobs import NO_INSTANT, NO_REGION
from inputs.timegrid import to_us
from tests.factories_inputs import FORMATS, job, load, load_as, message, written

FULL = job(
    id="nightly-embeddings",
    command=["python", "embed.py", "--note", 'a "b" c\\d', ""],
    duration="1h30m",
    power_kw=2.4,
    resources={"cpu": 16, "gpu": 4},
    earliest="2026-11-22T00:00+01:00",
    deadline="06:30",
    regions=["eu-west", "eu-north"],
    data_gb=120,
    weight=2.5,
    team="search",
    pin={"region": "eu-north", "start": "earliest"},
    executor="slurm",
    env={"SEED": "42", "NAME": 'q"x'},
    labels={"tier": "gold"},
    retries=2,
    timeout="2h",
    on_missed="skip",
    image="registry.example/embed:1",
)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_field_is_read_with_its_meaning(tmp_path: Path, format_: str) -> None:
    loaded = load_as(
        tmp_path, [FULL, job(id="b", energy_kwh=3, power_kw=None)], format_
    )
    jobs = loaded.jobs
    assert loaded.broken == ()
    assert jobs.ids.to_pylist() == ["nightly-embeddings", "b"]
    assert jobs.duration_us[0] == timedelta(minutes=90) // timedelta(microseconds=1)
    assert jobs.power_kw.tolist() == [2.4, 3.0]
    assert jobs.resource_names == ("cpu", "gpu")
    assert jobs.demand.tolist() == [[16, 4], [0, 0]]
    assert jobs.earliest_us[0] == to_us(datetime(2026, 11, 21, 23, tzinfo=UTC))
    assert jobs.deadline_us[0] == to_us(datetime(2026, 11, 22, 5, 30, tzinfo=UTC))
    assert jobs.deadline_us[1] == NO_INSTANT
    assert jobs.home.tolist() == [1, 0]
    assert jobs.data_gb.tolist() == [120, 0]
    assert jobs.weight.tolist() == [2.5, 1]
    assert jobs.pin_region.tolist() == [0, NO_REGION]
    assert jobs.pin_start_us.tolist() == [jobs.earliest_us[0], NO_INSTANT]
    assert jobs.team.to_pylist() == ["search", None]
    assert jobs.executor.to_pylist() == ["slurm", None]
    assert jobs.command.to_pylist() == [FULL["command"], ["true"]]
    assert json.loads(jobs.spec[0].as_py()) == {
        "command": FULL["command"],
        "deadline": "2026-11-22T05:30:00+00:00",
        "env": {"NAME": 'q"x', "SEED": "42"},
        "image": "registry.example/embed:1",
        "labels": {"tier": "gold"},
        "on_missed": "skip",
        "resources": {"cpu": 16, "gpu": 4},
        "retries": 2,
        "timeout_s": 7200,
    }


def test_the_spec_is_the_same_text_in_every_format(tmp_path: Path) -> None:
    specs = {load_as(tmp_path, [FULL], f).jobs.spec[0].as_py() for f in FORMATS}
    assert len(specs) == 1


@pytest.mark.parametrize("format_", FORMATS)
def test_defaults_are_the_same_in_every_format(tmp_path: Path, format_: str) -> None:
    jobs = load_as(tmp_path, [job(resources={"gpu": 1}), job(id="b")], format_).jobs
    assert jobs.allowed.tolist() == [[True, False], [True, True]]
    assert jobs.home.tolist() == [0, 0]
    assert jobs.earliest_us.tolist() == [NO_INSTANT] * 2
    assert json.loads(jobs.spec[1].as_py())["on_missed"] == "run"


@pytest.mark.parametrize("format_", FORMATS)
def test_an_array_of_jobs_is_spread_out(tmp_path: Path, format_: str) -> None:
    jobs = load_as(tmp_path, [job(count=3), job(id="b", count=1)], format_).jobs
    assert jobs.ids.to_pylist() == ["a[0]", "a[1]", "a[2]", "b"]
    assert jobs.power_kw.tolist() == [2.0] * 4


@pytest.mark.parametrize("format_", FORMATS)
def test_max_delay_counts_from_earliest_or_the_start(
    tmp_path: Path, format_: str
) -> None:
    both = [job(earliest="02:00", max_delay="4h"), job(id="b", max_delay=90)]
    jobs = load_as(tmp_path, both, format_).jobs
    midnight = to_us(datetime(2026, 11, 21, 23, tzinfo=UTC))
    hours = (jobs.deadline_us - midnight) / 3.6e9
    assert hours.tolist() == [6.0, 1.5]


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"regions": ["eu-nort"]}, "did you mean eu-north?"),
        ({"home_region": "eu-wets"}, "did you mean eu-west?"),
        ({"resources": {"gpus": 1}}, "did you mean gpu?"),
        ({"max_delay": "1h", "deadline": "05:00"}, "expected one of the two"),
        ({"energy_kwh": 2}, "found power_kw and energy_kwh"),
        ({"power_kw": None, "weight": 1}, "or give energy_kwh"),
        ({"duration": None}, "duration"),
        ({"command": None}, "or give an image"),
        ({"earliest": "05:00", "deadline": "03:00"}, "an instant after earliest"),
        ({"pin": {"start": "05:07"}}, "the start of a slot of 15 min"),
        (
            {"pin": {"region": "eu-west"}, "regions": ["eu-north"]},
            "one of the job's own regions",
        ),
        ({"on_missed": "later"}, "run or skip"),
        ({"retries": 1.5}, "a whole number"),
        ({"interruptible": True}, "interruptible is not supported yet"),
        ({"min_run": "1h"}, "with interruptible: true"),
        ({"elastic": {"min": 1, "max": 4, "exponent": 0.9}}, "elastic is not support"),
        ({"elastic": {"min": 4, "max": 2}}, "min at most max"),
        ({"optional": {"surplus_solar": True}}, "optional is not supported yet"),
        ({"every": "0 2 * * *"}, "every is not supported yet"),
        ({"every": "61 2 * * *"}, "a cron expression of 5 fields"),
        ({"depends_on": ["b"]}, "depends_on is not supported yet"),
        ({"count": 20_000_001}, "20,000,000"),
        ({"env": {"A B": "1"}}, "a name of A-Z"),
        ({"team": "a\nb"}, "printable"),
    ],
)
def test_the_same_mistake_is_told_in_every_format(
    tmp_path: Path, format_: str, wrong: dict[str, object], told: str
) -> None:
    text = message(load_as(tmp_path, [job(**wrong), job(id="b")], format_))
    assert told in text
    assert text.startswith(f"jobs.{format_}")


@pytest.mark.parametrize("format_", FORMATS)
def test_values_that_ask_for_nothing_are_fine(tmp_path: Path, format_: str) -> None:
    plain = job(interruptible=False, depends_on=[], optional={"surplus_solar": False})
    assert load_as(tmp_path, [plain], format_).broken == ()


def test_parquet_takes_native_types(tmp_path: Path) -> None:
    start = datetime(2026, 11, 22, 1, tzinfo=UTC)
    table = pa.table(
        {
            "id": pa.array(["a", "b"]).dictionary_encode(),
            "command": [["true"], ["ls", "-l"]],
            "duration": pa.array([timedelta(hours=1), timedelta(minutes=20)]),
            "power_kw": pa.array([1, 2], pa.int16()),
            "earliest": pa.array([start, None], pa.timestamp("ms", tz="Europe/Paris")),
            "resources": pa.array(
                [[("cpu", 2.0)], []], pa.map_(pa.string(), pa.float64())
            ),
            "pin": pa.array([None, {"region": "eu-west", "start": None}]),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    loaded = load(tmp_path, {"jobs.parquet": sink.getvalue()})
    assert loaded.broken == ()
    assert loaded.jobs.earliest_us.tolist() == [to_us(start), NO_INSTANT]
    assert loaded.jobs.demand.tolist() == [[2, 0], [0, 0]]
    assert loaded.jobs.pin_region.tolist() == [NO_REGION, 1]
    assert loaded.jobs.duration_us.tolist() == [3.6e9, 1.2e9]


def test_parquet_timestamps_without_a_zone_are_refused(tmp_path: Path) -> None:
    naive = pa.array([1_795_300_000_000_000], pa.timestamp("us"))
    table = pq.read_table(pa.BufferReader(written([job()], "parquet")))
    sink = io.BytesIO()
    pq.write_table(table.append_column("earliest", naive), sink)
    text = message(load(tmp_path, {"jobs.parquet": sink.getvalue()}))
    assert "jobs.parquet:2" in text
    assert "without an offset" in text


def test_lines_point_at_the_field(tmp_path: Path) -> None:
    yaml = "jobs:\n- id: a\n  command: [x]\n  duration: 1h\n  power_kw: two\n"
    assert "jobs.yaml:5, job" in message(load(tmp_path, {"jobs.yaml": yaml}))
    toml = '[[jobs]]\nid = "a"\ncommand = ["x"]\nduration = "1h"\npower_kw = "two"\n'
    assert "jobs.toml:5, job" in message(load(tmp_path, {"jobs.toml": toml}))
    json_ = (
        '{"jobs": [\n{"id": "a", "command": ["x"],\n"duration": 5,\n"power_kw": "t"}]}'
    )
    assert "jobs.json:4, job" in message(load(tmp_path, {"jobs.json": json_}))


def test_the_first_findings_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    rows = "\n".join(f"j{i},true,1h,-1" for i in range(1_000))
    loaded = load(tmp_path, {"jobs.csv": f"id,command,duration,power_kw\n{rows}\n"})
    assert message(loaded).splitlines()[-1] == "… and 900 more"
    assert len(loaded.broken[0].findings) == 100


def test_all_problems_of_a_job_are_told_at_once(tmp_path: Path) -> None:
    text = message(load_as(tmp_path, [job(power_kw=-1, duration="x", wait=1)], "yaml"))
    assert [word in text for word in ("power_kw", "duration", "wait")] == [True] * 3


def test_columns_are_read_only_and_typed(tmp_path: Path) -> None:
    jobs = load_as(tmp_path, [FULL], "yaml").jobs
    assert jobs.duration_us.dtype == np.int64
    assert jobs.home.dtype == np.int16
    assert jobs.source.dtype == np.int32
    with pytest.raises(ValueError, match="read-only"):
        jobs.power_kw[0] = 0


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "a.yaml",
            "jobs:\n\t- id: x\n",
            "a.yaml:2: found character that cannot start any token, expected YAML; "
            "indent with blanks, not with tabs",
        ),
        (
            "a.toml",
            "[[jobs]]\nid = x\n",
            "a.toml:2: found a mistake at column 6 (Invalid value), expected TOML",
        ),
        ("a.toml", "[[jobs", "a.toml: found a mistake (Expected"),
    ],
)
def test_a_slip_of_the_pen_is_told_with_its_place(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    assert told in message(load(tmp_path, {name: text}))

"""SO-03: a day that cannot be met names what is at fault and what would help."""

import json
from pathlib import Path

import pytest

from outputs.plan_file import read_plan
from tests.factories_workspace import DAY, SETTINGS, a_workspace

ONE_REGION = SETTINGS.replace("[regions.south]\ncapacity = { cpu = 2 }\n", "")
CARBON = "region,start,g_per_kwh\n" + "\n".join(
    f"north,{DAY}T{hour:02}:00:00+00:00,{100 + hour}" for hour in range(24)
)


def reasons(tmp_path: Path, *jobs: dict) -> dict[str, str]:
    workspace = a_workspace(tmp_path, *jobs, settings=ONE_REGION, carbon=CARBON)
    result = workspace.run("solve", "--date", DAY, "--solver", "exact", "--json")
    rows = read_plan(Path(json.loads(result.stdout)["plan"])).rows.to_pylist()
    return {row["job_id"]: row["reason"] for row in rows if row["status"] != "planned"}


def test_so_03_a_window_shorter_than_the_run_is_named_with_both_lengths(tmp_path):
    found = reasons(tmp_path, {"id": "long", "duration": "3h", "deadline": '"02:00"'})
    assert "180 min" in found["long"]
    assert "2026-11-22T00:00Z – 2026-11-22T02:00Z" in found["long"]


def test_so_03_jobs_that_need_more_than_there_is_are_named_with_the_limit(tmp_path):
    wide = {"resources": "{ cpu: 3 }", "deadline": '"02:00"'}
    found = reasons(
        tmp_path,
        {"id": "first", "weight": 2, **wide},
        {"id": "second", **wide},
        {"id": "bystander", "resources": "{ cpu: 1 }"},
    )
    assert found.keys() == {"second"}
    text = found["second"]
    assert "cpu in north 01:00–02:00Z cannot hold it beside first" in text
    assert "bystander" not in text
    assert "without any one of them it fits" in text


def test_so_03_the_smallest_change_that_would_help_is_named(tmp_path):
    wide = {"resources": "{ cpu: 3 }", "deadline": '"03:00"'}
    found = reasons(
        tmp_path, {"id": "first", "weight": 2, **wide}, {"id": "second", **wide}
    )
    assert "2 more cpu in north" in found["second"]
    assert "60 min later deadline" in found["second"]


def test_so_03_the_power_cap_is_named_when_it_is_at_fault(tmp_path):
    # 10 kW at the plug are 8.33 kW of IT power at a PUE of 1.2
    hungry = {"power_kw": 5, "deadline": '"02:00"'}
    found = reasons(
        tmp_path, {"id": "first", "weight": 2, **hungry}, {"id": "second", **hungry}
    )
    assert "power_kw in north" in found["second"]


@pytest.mark.parametrize("power_kw", [9, 900])
def test_so_03_a_job_above_the_power_cap_is_named_with_the_cap(tmp_path, power_kw):
    found = reasons(tmp_path, {"id": "hot", "power_kw": power_kw}, {"id": "cool"})
    assert f"power_kw {power_kw} of at most 8.33333 in north" in found["hot"]

"""Which jobs no plan could place, and what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.factories_workspace import DAY, SETTINGS, a_workspace


def planned(folder_root: Path, *jobs: dict[str, Any], settings: str = SETTINGS) -> Any:
    """Rows of the greedy plan by job id; the plan file passes ``planner check``."""
    folder = a_workspace(folder_root, *jobs, settings=settings)
    run = folder.run("solve", "--date", DAY, "--solver", "greedy", "--json")
    plan = json.loads(run.stdout)["plan"]
    assert folder.run("check", plan).exit_code == 0
    return {row["job_id"]: row for row in pq.read_table(plan).to_pylist()}


@pytest.mark.parametrize(("power_kw", "cap_kw", "pue"), [(3, 3.3, 1.1), (3, 3.6, 1.2)])
def test_a_job_that_draws_exactly_the_power_cap_at_the_plug_is_placed(
    tmp_path: Path, power_kw: float, cap_kw: float, pue: float
) -> None:
    settings = SETTINGS.replace("power_cap_kw = 10", f"power_cap_kw = {cap_kw}")
    settings = settings.replace("pue = 1.2", f"pue = {pue}")
    job = {"power_kw": power_kw, "regions": "[north]"}
    assert planned(tmp_path, job, settings=settings)["job-0"]["status"] == "planned"


def test_a_job_above_the_cap_by_more_than_rounding_is_left_out(tmp_path: Path) -> None:
    row = planned(tmp_path, {"power_kw": 8.3334, "regions": "[north]"})["job-0"]
    assert row["reason"].startswith("it needs more than there is: power_kw 8.3334")


def test_every_job_is_told_its_own_reason(tmp_path: Path) -> None:
    rows = planned(
        tmp_path,
        {"resources": "{ cpu: 9 }"},
        {"resources": "{ cpu: 5 }", "regions": "[north]"},
        {"earliest": '"05:00"', "deadline": '"06:30"'},
        {"deadline": "2026-11-21T00:00Z"},
        {"pin": '{ start: "2026-11-22T07:00Z" }', "deadline": '"08:00"'},
        {},
    )
    assert [rows[f"job-{n}"]["reason"] for n in range(6)] == [
        "it needs more than there is: cpu 9 of at most 4 in north; "
        "cpu 9 of at most 2 in south",
        "it needs more than there is: cpu 5 of at most 4 in north",
        "it runs 120 min in 2 slots; its window 2026-11-22T05:00Z – "
        "2026-11-22T06:30Z, cut to the horizon and to slot borders, cannot hold it",
        "its window 2026-11-22T00:00Z – 2026-11-21T00:00Z lies outside of the "
        "horizon 2026-11-22T00:00Z – 2026-11-23T00:00Z",
        "it runs 120 min in 2 slots; its window 2026-11-22T00:00Z – "
        "2026-11-22T08:00Z, cut to the horizon and to slot borders, cannot hold it "
        "from its pinned start 2026-11-22T07:00Z",
        None,
    ]

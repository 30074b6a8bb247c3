"""Days settled to the gram; every number here was worked out by hand."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from inputs.timegrid import local_midnight
from outputs.evidence import Evidence
from planner.executor.backends.backend import Phase
from planner.executor.energy import REPORTED, Energy
from planner.settlement.errors import SettlementError
from tests.factories_workspace import jobs_yaml
from tests.settled_days import SettledDay, at, series

PAGE = (Path(__file__).parents[2] / "docs/settlement.md").read_text(encoding="utf-8")

JOB = {"id": "a", "duration": "1h", "power_kw": 2}
FORECAST = [100.0, 300.0, 300.0, 500.0]
ACTUAL = [400.0, 200.0, 100.0, *[500.0] * 21]


def told(kwh: float, **facts: Any) -> Energy:
    return Energy(kwh=kwh, label=REPORTED, source="the job", **facts)


def only_row(evidence: Evidence) -> dict[str, Any]:
    (row,) = evidence.rows.to_pylist()
    return row  # type: ignore[no-any-return]


def a_day(root: Path, *jobs: dict[str, Any], **facts: Any) -> SettledDay:
    given = {"forecast": FORECAST, "actual": ACTUAL, **facts}
    day = SettledDay(root, *(jobs or (JOB,)), **given)
    day.solve()
    return day


def test_the_worked_example_of_the_page_comes_out_as_it_stands(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    day.runs("a", 1, 2, energy=told(3.0))
    row = only_row(day.settle())
    section = PAGE.split("## A worked example")[1].split("## The file")[0]
    stated = {
        name: float(kg)
        for name, kg in re.findall(
            r"^\| (?:\$(\w)\$|promised).* \| ([\d.]+) \|$", section, re.M
        )
    }
    columns = {
        "": "planned_emissions_kg",
        "H": "hindsight_kg",
        "P": "planned_at_actual_kg",
        "D": "dispatched_kg",
        "R": "emissions_kg",
        "B": "baseline_kg",
    }
    assert {n: row[c] for n, c in columns.items()} == pytest.approx(stated)


def test_the_parts_of_the_regret_and_the_saving_are_those_of_the_page(
    tmp_path: Path,
) -> None:
    day = a_day(tmp_path)
    day.runs("a", 1, 2, energy=told(3.0))
    meta = day.settle().meta
    assert meta["regret_kg"] == pytest.approx(
        {
            "total": 0.4,
            "forecast_error": 0.6,
            "dispatch_error": -0.4,
            "runtime_error": 0.2,
        }
    )
    assert meta["saving"]["avoided_kg"] == pytest.approx(0.6)
    assert meta["saving"]["percent"] == pytest.approx(50.0)
    assert meta["saving"]["energy"] == "reported"
    assert meta["provisional"] is False
    assert meta["notes"] == []


def test_a_perfect_day_emits_what_was_promised(tmp_path: Path) -> None:
    day = a_day(tmp_path, actual=[*FORECAST, *[500.0] * 20])
    day.runs("a", 0, 1)
    meta = day.settle().meta
    assert set(meta["regret_kg"].values()) == {0.0}
    emitted = meta["emissions_kg"]
    assert emitted["realised"] == pytest.approx(emitted["promised"])
    assert meta["saving"]["energy"] == "assumed"
    assert any("assumed" in note for note in meta["notes"])


def test_energy_of_a_failed_attempt_counts_and_so_does_its_hour(tmp_path: Path) -> None:
    day = a_day(tmp_path, {**JOB, "retries": 1})
    day.runs("a", 0, 0.5, Phase.FAILED, exit_code=1)
    day.runs("a", 2, 3, energy=told(2.0))
    row = only_row(day.settle())
    assert (row["attempts"], row["state"]) == (2, "done")
    # half an hour of 2 kW at 400 g, then 2 kWh at 100 g
    assert row["emissions_kg"] == pytest.approx(0.4 + 0.2)
    assert row["repeated_energy_kwh"] == pytest.approx(1.0)
    assert row["energy_label"] == "assumed"
    # P and D: the planned 2 kWh in the first hour; what failed is a runtime error
    assert row["dispatched_kg"] == pytest.approx(0.8)


def test_a_job_that_failed_for_good_counts_what_it_used(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    day.runs("a", 0, 0.25, Phase.FAILED, exit_code=1)
    evidence = day.settle()
    row = only_row(evidence)
    assert (row["ending"], row["state"]) == ("ran", "failed")
    assert row["emissions_kg"] == pytest.approx(2 * 0.25 * 0.4)
    assert evidence.meta["saving"]["avoided_kg"] == pytest.approx(0)


def test_a_running_job_is_left_for_later_and_then_settled(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    day.tick(0)
    day.ends("a", Phase.RUNNING, started_at=at(0))
    day.tick(0.5)
    early = day.settle(0.6)
    row = only_row(early)
    assert (row["ending"], row["emissions_kg"]) == ("open", None)
    assert early.meta["provisional"] is True
    assert early.meta["emissions_kg"]["realised"] == 0
    assert early.meta["saving"]["percent"] is None
    day.ends("a", started_at=at(0), ended_at=at(1))
    day.tick(1)
    late = day.settle()
    assert only_row(late)["emissions_kg"] == pytest.approx(0.8)
    assert late.meta["provisional"] is False


def test_a_job_whose_end_is_unknown_is_assumed_and_stays_provisional(
    tmp_path: Path,
) -> None:
    day = a_day(tmp_path)
    day.tick(0)
    day.ends("a", Phase.LOST, started_at=at(0))
    day.tick(5)
    evidence = day.settle()
    row = only_row(evidence)
    assert (row["ending"], row["state"], row["times"]) == ("ran", "unknown", "assumed")
    assert row["emissions_kg"] == pytest.approx(0.8)
    assert row["provisional"] is True
    assert evidence.meta["provisional"] is True


def test_attempts_that_were_told_by_several_name_them_all(tmp_path: Path) -> None:
    day = a_day(tmp_path, {**JOB, "retries": 1})
    meter = Energy(kwh=0.5, label="measured", source="Slurm")
    day.runs("a", 0, 0.5, Phase.FAILED, exit_code=1, energy=meter)
    day.runs("a", 2, 3, energy=told(2.0))
    row = only_row(day.settle())
    assert row["energy_source"] == "Slurm, the job"
    assert row["energy_label"] == "reported"
    assert row["energy_kwh"] == pytest.approx(2.5)
    assert row["repeated_energy_kwh"] == pytest.approx(0.5)


def test_what_only_an_earlier_plan_of_the_date_had_counts_as_well(
    tmp_path: Path,
) -> None:
    day = a_day(tmp_path, JOB, {**JOB, "id": "b"})
    day.tick(0)
    day.ends("a", started_at=at(0), ended_at=at(1))
    day.ends("b", started_at=at(0), ended_at=at(1))
    day.tick(1)
    day.folder.write("inputs/jobs.yaml", jobs_yaml(JOB))
    again = day.folder.run("solve", "--date", "2026-11-22", now=at(-1))
    assert again.exit_code == 0, again.output
    day.tick(2)
    evidence = day.settle()
    rows = {row["job_id"]: row for row in evidence.rows.to_pylist()}
    assert rows["b"]["ending"] == "ran"
    assert rows["b"]["planned_energy_kwh"] == pytest.approx(2.0)
    assert rows["b"]["planned_emissions_kg"] is None
    assert rows["b"]["emissions_kg"] == pytest.approx(0.8)
    assert rows["b"]["baseline_kg"] is None
    assert evidence.meta["saving"]["segments_left_out"] == 1


def test_a_region_that_is_gone_is_named_with_its_job(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    day.runs("a", 0, 1)
    settings = (day.folder.root / "planner.toml").read_text()
    gone = settings.replace("[regions.north]", "[regions.south]\nzone = 'north'")
    day.folder.write("planner.toml", gone)
    with pytest.raises(SettlementError, match='job "a" ran in region north'):
        day.settle()


def test_a_job_that_never_ran_counts_nowhere(tmp_path: Path) -> None:
    day = a_day(tmp_path, {**JOB, "on_missed": "skip"}, {**JOB, "id": "b"})
    day.tick(0.0)
    day.ends("b", started_at=at(0), ended_at=at(1))
    day.ends("a", Phase.CANCELLED)
    day.tick(1)
    evidence = day.settle()
    rows = {row["job_id"]: row for row in evidence.rows.to_pylist()}
    assert rows["a"]["ending"] == "not_run"
    assert rows["a"]["emissions_kg"] is None
    assert evidence.meta["emissions_kg"]["realised"] == pytest.approx(0.8)
    assert evidence.meta["emissions_kg"]["promised_of_what_ran"] == pytest.approx(0.2)
    assert evidence.meta["emissions_kg"]["promised"] == pytest.approx(0.4)
    assert evidence.meta["saving"]["segments"] == 1


def test_missing_hours_take_the_forecast_and_are_settled_later(tmp_path: Path) -> None:
    day = a_day(tmp_path, actual=[None, *ACTUAL[1:]])
    day.runs("a", 0, 1)
    early = day.settle()
    assert only_row(early)["emissions_kg"] == pytest.approx(0.2)
    assert only_row(early)["provisional"] is True
    (hole,) = early.meta["missing"]
    assert (hole["stand_in"], hole["region"]) == ("forecast", "north")
    assert hole["start"] == at(0).isoformat()
    day.folder.write("actual.csv", series(ACTUAL))
    late = day.settle()
    assert only_row(late)["emissions_kg"] == pytest.approx(0.8)
    assert late.meta["missing"] == []
    assert late.meta["provisional"] is False


def test_a_value_that_was_said_before_its_hour_is_no_actual_one(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    day.runs("a", 0, 1)
    said = [line + ",2026-11-21T20:00:00Z" for line in series(ACTUAL).split()[1:]]
    text = "\n".join(["region,start,g_per_kwh,issued_at", *said]) + "\n"
    day.folder.write("actual.csv", text)
    meta = day.settle().meta
    assert meta["sources"][0]["actual_slots"] == 0
    assert meta["provisional"] is True


def test_pue_counts_on_a_figure_before_it_and_not_on_one_at_the_plug(
    tmp_path: Path,
) -> None:
    day = a_day(tmp_path, JOB, {**JOB, "id": "b"}, region="pue = 1.5")
    day.tick(0)
    day.ends("a", started_at=at(0), ended_at=at(1), energy=told(2.0))
    day.ends("b", started_at=at(0), ended_at=at(1), energy=told(2.0, at_plug=True))
    day.tick(1)
    rows = {row["job_id"]: row for row in day.settle().rows.to_pylist()}
    assert rows["a"]["energy_kwh"] == pytest.approx(3.0)
    assert rows["a"]["emissions_kg"] == pytest.approx(1.2)
    assert rows["b"]["energy_kwh"] == pytest.approx(2.0)


def test_a_run_past_the_horizon_is_priced_with_an_earlier_day(tmp_path: Path) -> None:
    day = a_day(tmp_path, {**JOB, "earliest": '"22:00"', "duration": "2h"})
    day.runs("a", 22, 25)
    evidence = day.settle()
    # two hours at 500 g, and the first of the next day as this day's: 400 g
    assert only_row(evidence)["emissions_kg"] == pytest.approx(2 * 0.5 * 2 + 2 * 0.4)
    assert evidence.meta["missing"][0]["stand_in"] == "earlier"
    assert only_row(evidence)["provisional"] is True


def test_a_clock_that_contradicts_the_executor_is_not_believed(tmp_path: Path) -> None:
    day = a_day(tmp_path)
    day.tick(0)
    day.ends("a", started_at=at(-9), ended_at=at(-8.5))
    day.tick(1)
    row = only_row(day.settle())
    assert row["times"] == "executor"
    assert (row["actual_start"], row["actual_end"]) == (at(0), at(0.5))
    assert row["emissions_kg"] == pytest.approx(0.4)


def test_the_score_counts_what_was_made_and_what_failing_cost(tmp_path: Path) -> None:
    labels = "{ functional_unit: request, units: '1000' }"
    jobs = [{**JOB, "id": name, "labels": labels} for name in ("a", "b")]
    rates = "[settlement]\nembodied_kg_per_hour = { cpu = 0.1 }"
    day = a_day(tmp_path, *jobs, settlement=rates)
    day.tick(0)
    day.ends("a", started_at=at(0), ended_at=at(1), energy=told(2.0, units=800.0))
    day.ends("b", Phase.FAILED, started_at=at(0), ended_at=at(0.5))
    day.tick(1)
    (score,) = day.settle().meta["sci"]
    assert (score["unit"], score["units"], score["counted_by"]) == (
        "request",
        800,
        "job",
    )
    assert score["operational_kg"] == pytest.approx(0.8 + 0.4)
    assert score["embodied_kg"] == pytest.approx(0.1 * 1.5)
    assert score["g_per_unit"] == pytest.approx(1000 * 1.35 / 800)


def test_without_the_manifests_the_regret_is_unknown_and_says_why(
    tmp_path: Path,
) -> None:
    day = a_day(tmp_path)
    day.runs("a", 0, 1)
    day.folder.write("inputs/jobs.yaml", "jobs: []\n")
    evidence = day.settle()
    assert evidence.meta["regret_kg"] is None
    assert 'job "a"' in evidence.meta["hindsight"]["why_unknown"]
    assert only_row(evidence)["emissions_kg"] == pytest.approx(0.8)


@pytest.mark.parametrize(
    ("date", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)], ids=["23 h", "25 h"]
)
def test_a_day_on_which_clocks_change_is_settled_hour_by_hour(
    tmp_path: Path, date: str, hours: int
) -> None:
    midnight = local_midnight(datetime.fromisoformat(date).date(), "Europe/Berlin")
    day = SettledDay(
        tmp_path,
        {**JOB, "duration": f"{hours}h"},
        forecast=[100.0] * hours,
        actual=[float(100 + hour) for hour in range(hours)],
        region="",
        midnight=midnight,
        timezone="Europe/Berlin",
    )
    day.solve()
    day.runs("a", 0, hours)
    evidence = day.settle()
    kwh = 2 * (hours * 100 + sum(range(hours)))
    assert evidence.meta["missing"] == []
    assert only_row(evidence)["energy_kwh"] == pytest.approx(2 * hours)
    assert only_row(evidence)["emissions_kg"] == pytest.approx(kwh / 1000)

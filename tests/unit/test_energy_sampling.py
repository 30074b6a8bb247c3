"""A job's part of what the machine used, and how far it can be believed."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from planner.executor.sampling import figure_of

RUN_S = 3600.0


def seen(**changes: Any) -> dict[str, Any]:
    """An hour of a machine with a counter in its processor."""
    facts: dict[str, Any] = {
        "kwh": {"cpu": 0.2, "gpu": 0.0, "memory": 0.01},
        "cpu_by_sensor": True,
        "seconds": RUN_S,
        "busy_s": RUN_S,
    }
    return facts | changes


def figure(facts: dict[str, Any], **given: Any) -> dict[str, Any]:
    return figure_of(facts, **{"run_s": RUN_S, "share": 1.0, "own_gpus": False} | given)


def test_a_counter_read_all_the_time_for_a_job_alone_is_measured() -> None:
    found = figure(seen())
    assert found["label"] == "measured"
    assert found["source"] == "CodeCarbon (sensors)"
    # What was read alone: CodeCarbon guesses the memory.
    assert found["kwh"] == pytest.approx(0.2)


def test_what_is_worked_out_from_load_is_never_measured() -> None:
    found = figure(seen(cpu_by_sensor=False))
    assert (found["label"], found["source"]) == ("estimated", "CodeCarbon (load)")
    assert found["kwh"] == pytest.approx(0.21)


@pytest.mark.parametrize("claim", [1, "true", None, "intel_rapl"])
def test_only_a_plain_yes_makes_a_sensor(claim: object) -> None:
    assert figure(seen(cpu_by_sensor=claim))["label"] == "estimated"


def test_jobs_beside_each_other_share_the_machine_by_their_work() -> None:
    parts = [figure(seen(), share=share) for share in (0.5, 0.3, 0.2)]
    assert {part["label"] for part in parts} == {"estimated"}
    assert sum(part["kwh"] for part in parts) == pytest.approx(0.2)


def test_gpus_that_a_job_names_are_its_own() -> None:
    facts = seen(kwh={"cpu": 0.2, "gpu": 1.0, "memory": 0.0})
    assert figure(facts, share=0.5, own_gpus=True)["kwh"] == pytest.approx(1.1)
    assert figure(facts, share=0.5, own_gpus=False)["kwh"] == pytest.approx(0.6)


def test_the_begin_that_nobody_watched_is_added_in_proportion() -> None:
    found = figure(seen(seconds=0.98 * RUN_S))
    assert found["kwh"] == pytest.approx(0.2 / 0.98)
    assert found["label"] == "measured"
    assert figure(seen(seconds=0.9 * RUN_S))["label"] == "estimated"


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        (seen(seconds=0.4 * RUN_S), "watched 1.44e"),
        (seen(kwh={"cpu": 0.0, "gpu": 0.0, "memory": 0.0}), "0 kWh is no energy"),
        (seen(kwh={"cpu": -1.0, "gpu": 0.0, "memory": 0.0}), "is no energy"),
        (seen(kwh={"cpu": float("nan"), "gpu": 0.0, "memory": 0.0}), "is no energy"),
        (seen(kwh={"cpu": 1e300, "gpu": 0.0, "memory": 0.0}), "is no energy"),
    ],
)
def test_what_cannot_be_the_energy_of_a_job_is_no_figure(
    facts: dict[str, Any], why: str
) -> None:
    with pytest.raises(Exception, match=why):
        figure(facts)


def test_a_supervisor_that_is_not_asked_imports_nothing_of_codecarbon() -> None:
    script = (
        "import sys, planner.executor.spawner; "
        "print(*{'codecarbon', 'psutil', 'pandas'} & {*sys.modules})"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == ""

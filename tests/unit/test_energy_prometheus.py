"""Energy by a query: asked for safely, and not believed blindly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from planner.settlement.prometheus import Asked, query_for
from tests.replay_servers import Reply, Seen, serving
from tests.settled_days import SettledDay

HOUR_US = 3_600_000_000
QUERY = 'sum(increase(joules{key="{key}",job="{job_id}"}[{seconds}s]))'


def an_attempt(**facts: Any) -> Asked:
    usual: dict[str, Any] = {
        "key": "p20261122-x-1",
        "job_id": "a",
        "region": "north",
        "start_us": 0,
        "end_us": HOUR_US,
    }
    return Asked(**{**usual, **facts})


def test_only_placeholders_are_replaced_and_values_cannot_leave_their_string() -> None:
    odd = an_attempt(job_id='x"} or vector(1) # {key}\n')
    assert query_for(odd, 'e{job="{job_id}", by="{region}"}[{seconds}s]') == (
        'e{job="x\\"} or vector(1) # {key}\\n", by="north"}[3600s]'
    )


def vector(*values: str) -> dict[str, Any]:
    samples = [{"metric": {"n": str(i)}, "value": [0, v]} for i, v in enumerate(values)]
    data = {"resultType": "vector", "result": samples}
    return {"status": "success", "data": data}


def settled_with(root: Path, body: Any) -> tuple[dict[str, Any], list[Seen], Any]:
    asked: list[Seen] = []

    def answer(seen: Seen) -> Reply:
        asked.append(seen)
        return Reply(body, headers={"Content-Type": "application/json"})

    with serving(answer) as server:
        table = f"""[energy.prometheus]
url = "{server.url}"
query = '{QUERY}'
unit = "J"
"""
        job = {"id": "a", "duration": "1h", "power_kw": 2}
        day = SettledDay(
            root, job, forecast=[100.0, 300.0], actual=[400.0] * 24, settlement=table
        )
        day.solve()
        day.runs("a", 0, 1)
        evidence = day.settle()
    (row,) = evidence.rows.to_pylist()
    return row, asked, evidence.meta


def test_the_answer_is_a_measured_energy(tmp_path: Path) -> None:
    row, asked, _ = settled_with(tmp_path, vector("10800000"))
    assert row["energy_kwh"] == pytest.approx(3.0)
    assert (row["energy_label"], row["energy_source"]) == ("measured", "Prometheus")
    assert 'job="a"}[3600s]' in asked[0].query["query"]
    assert asked[0].query["time"] == "1795309200.000"


@pytest.mark.parametrize(
    ("body", "note"),
    [
        (vector("1", "2"), "2 series"),
        (vector("NaN"), "is no energy"),
        (vector("-5"), "is no energy"),
        (vector("many"), "many"),
        ({"status": "error", "error": "x"}, "the query failed"),
        ([1], "not that of an instant query"),
    ],
)
def test_an_answer_that_is_none_leaves_the_energy_assumed_with_a_note(
    tmp_path: Path, body: Any, note: str
) -> None:
    row, _, meta = settled_with(tmp_path, body)
    assert row["energy_label"] == "assumed"
    assert row["energy_kwh"] == pytest.approx(2.0)
    assert any(note in text for text in meta["notes"])


def test_nothing_known_of_a_job_is_no_zero(tmp_path: Path) -> None:
    row, _, _ = settled_with(tmp_path, vector())
    assert (row["energy_label"], row["energy_kwh"]) == ("assumed", 2.0)

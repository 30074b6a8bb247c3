"""Parts are measured, kept and shown; what failed or is missing is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from benchmarks.measuring import measure_relaxation
from benchmarks.parts import all_parts
from benchmarks.rendering import TITLES, render
from benchmarks.results import Result, keep, kept
from benchmarks.rows import RowError, in_own_process, row
from benchmarks.synthetic import synthetic_day


def a_result(part: str, *rows: dict[str, Any]) -> Result:
    return Result(
        part=part,
        kind=all_parts()[part].kind,
        measured_at="2026-11-21T10:00+00:00",
        revision="abc1234",
        machine="A processor, 2 cores",
        load=(0.1, 1.9),
        threads=2,
        rows=list(rows),
    )


def an_engine_row(solver: str, objective: float) -> dict[str, Any]:
    known = {"bound": 1.0, "gap": 0.5, "seconds": 60.0}
    return {"jobs": 100, "solver": solver, "objective": objective, **known}


def a_size_row(**changes: Any) -> dict[str, Any]:
    spec = {"kind": "size", "solver": "price", "jobs": 30, "threads": 1, "asked_s": 1.0}
    limits = {"gap": 0.5, "limit_s": 0.3, "marks": [0.5]}
    return {**spec, **limits, **changes}


def test_a_row_tells_what_came_out_and_when_the_gap_was_proven():
    found = row(a_size_row())
    assert found["jobs"] == 30
    assert found["violations"] == 0
    assert found["bound"] <= found["objective"]
    assert 0.0 < found["reached"]["0.5"] <= found["seconds"]
    text = render({"size-100": a_result("size-100", found)})
    assert "| 30 | price | 50 % in 1 s |" in text


def test_the_relaxation_lies_between_our_bound_and_our_plan():
    problem = synthetic_day(60, seed=1)
    relaxed = measure_relaxation(problem, 60.0)
    ours = row(a_size_row(jobs=60, gap=0.0, limit_s=1.0))
    assert relaxed["outcome"] == "optimal"
    assert ours["bound"] <= relaxed["bound"] * (1 + 1e-6)
    assert relaxed["bound"] <= ours["objective"]


def test_a_row_that_fails_says_why():
    with pytest.raises(RowError, match="no solver is called 'nobody'"):
        in_own_process(a_size_row(solver="nobody"), threads=1)


def test_results_come_back_as_they_were_kept(tmp_path):
    first = a_result("engines-100", an_engine_row("scip", 2.0))
    keep(first, tmp_path)
    second = replace(first, measured_at="2026-11-22T10:00+00:00")
    keep(second, tmp_path)
    assert kept(tmp_path) == {"engines-100": second}
    assert [path.name for path in tmp_path.iterdir()] == ["engines-100.json"]


def test_engines_are_compared_with_the_best_plan_of_their_table():
    rows = [an_engine_row("auto", 2.0), an_engine_row("scip", 2.5)]
    text = render({"engines-100": a_result("engines-100", *rows)})
    assert "| 100 | auto | 2.0000 | 0 % |" in text
    assert "| 100 | scip | 2.5000 | 25 % |" in text


def test_the_relaxation_is_set_against_the_time_to_the_asked_gap():
    common = {"jobs": 10_000, "bound": 5.0}
    lp = {**common, "solver": "HiGHS", "seconds": 90.0, "outcome": "optimal"}
    price = {**common, "solver": "price", "seconds": 9.0, "gap": 1e-4}
    price["reached"] = {"0.0015": 1.5}
    text = render({"relaxation": a_result("relaxation", lp, price)})
    assert "| 10,000 | HiGHS (optimal) | 90.0 | 60 |" in text
    assert "| 10,000 | price | 1.5 | 1 |" in text


def test_what_failed_and_what_was_not_measured_is_named():
    failed = {"jobs": 100, "solver": "cbc", "error": "killed"}
    text = render({"engines-100": a_result("engines-100", failed)})
    assert "| 100 | cbc | **failed**: killed |" in text
    assert "Not measured yet: `engines-1000`." in text
    assert all(title in text for title in TITLES.values())
    assert "load 0.1 before and 1.9 after" in text


def test_every_part_states_the_minutes_it_can_take():
    for part in all_parts().values():
        assert part.rows
        assert part.most_minutes(quick=True) < part.most_minutes(quick=False) + 1.0
        assert part.kind in TITLES

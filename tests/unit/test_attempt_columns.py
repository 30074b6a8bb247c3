"""Attempts as columns tell what each of them told by itself."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from planner.executor.states import State
from planner.settlement.attempts import (
    ATTEMPT_SCHEMA,
    CLOCK_SKEW_US,
    SETTLED_STATES,
    Attempts,
    Times,
    digest_of,
)
from planner.settlement.columns import Work
from planner.settlement.stages import Attempted
from planner.settlement.uses import uses_of
from planner.settlement.work import PLANNED_SCHEMA, Ending, Found, meter

HOUR_US = 3_600_000_000


def attempts(*rows: dict[str, Any]) -> Attempts:
    """Attempts that ran as planned, for an hour at 2 kW, but for what is given."""
    usual = {
        "key": "k",
        "job_id": "a",
        "segment": 0,
        "attempt": 1,
        "plan_id": "p",
        "region": "north",
        "state": "done",
        "start_us": 0,
        "end_us": HOUR_US,
        "power_kw": 2.0,
        "changed_us": HOUR_US,
        "intent_us": 0,
        "started_us": 0,
        "ended_us": HOUR_US,
        "spec_digest": "d",
        "energy_at_plug": False,
    }
    given = [usual | row for row in rows]
    return Attempts(rows=pa.Table.from_pylist(given, schema=ATTEMPT_SCHEMA))


def by_itself(row: dict[str, Any]) -> tuple[int, int, Times]:
    """When one attempt ran, by the rules of the page, one after another."""
    planned_us = row["end_us"] - row["start_us"]
    sent = row["start_us"] if row["intent_us"] is None else row["intent_us"]
    started, ended = row["started_us"], row["ended_us"]
    if started is None or ended is None:
        begin = sent if started is None else max(started, sent)
        end = begin + planned_us
        if State(row["state"]) in SETTLED_STATES:
            end = max(begin, min(end, row["changed_us"]))
        return begin, end, Times.ASSUMED
    if started < sent - CLOCK_SKEW_US or ended > row["changed_us"] + CLOCK_SKEW_US:
        return sent, sent + max(ended - started, 0), Times.EXECUTOR
    return max(started, sent), max(ended, started, sent), Times.REPORTED


instants = st.integers(0, 40).map(lambda n: n * CLOCK_SKEW_US // 2)
one_attempt = st.fixed_dictionaries(
    {
        "state": st.sampled_from([state.value for state in State]),
        "start_us": instants,
        "changed_us": instants,
        "intent_us": st.none() | instants,
        "started_us": st.none() | instants,
        "ended_us": st.none() | instants,
    }
)


@settings(max_examples=100, deadline=None)
@given(st.lists(one_attempt, max_size=8))
def test_times_of_many_are_those_of_each(rows: list[dict[str, Any]]) -> None:
    rows = [{**row, "end_us": row["start_us"] + HOUR_US} for row in rows]
    found = attempts(*rows).times()
    columns = (found.start_us, found.end_us, found.told_by)
    together = list(zip(*(c.tolist() for c in columns), strict=True))
    assert together == [by_itself(row) for row in rows]


def test_the_digest_is_that_of_one_line_for_each_attempt() -> None:
    one, other = attempts({}), attempts({"reason": "x"})
    assert digest_of(one) == digest_of(attempts({}))
    assert len({digest_of(one), digest_of(other), digest_of(attempts())}) == 3


def test_energy_as_told_gets_the_pue_unless_it_has_it_already() -> None:
    told = attempts(
        {"energy_kwh": 3.0, "energy_label": "reported"},
        {"energy_kwh": 3.0, "energy_label": "measured", "energy_at_plug": True},
        {"region": "south"},
    )
    found = meter(told, {"north": 0, "south": 1}, [1.5, 1.0])
    # What is assumed is the planned power, which has the PUE in it.
    assert found.energy_kwh.tolist() == [4.5, 3.0, 2.0]
    assert found.label.tolist() == [1, 0, 3]


def found_of(told: Attempts, *segments: int, spec: str = "{}") -> Found:
    """Segments of job ``a``, each with as many attempts as stand in its place."""
    rows = [
        {"job_id": "a", "segment": n, "region": "north", "start": 0, "end": 1}
        | {"energy_kwh": 1.0, "spec": spec}
        for n in range(len(segments))
    ]
    planned = pa.Table.from_pylist(rows, schema=PLANNED_SCHEMA)
    of = np.repeat(np.arange(len(segments)), segments)
    return Found(planned=planned, attempts=told, of=of)


def test_a_segment_ends_as_its_last_attempt_does() -> None:
    states = ("failed", "done", "missed", "unknown", "running")
    rows: list[dict[str, Any]] = [{"state": state} for state in states]
    rows[2] |= {"started_us": None, "ended_us": None}
    found = found_of(attempts(*rows), 2, 1, 1, 1, 0)
    assert found.state.to_pylist() == [*states[1:], "planned"]
    assert found.begun.tolist() == [2, 0, 1, 1, 0]
    assert found.ending.tolist() == [
        *(Ending.RAN, Ending.NOT_RUN, Ending.RAN),
        *(Ending.OPEN, Ending.OPEN),
    ]


def test_the_label_of_a_job_counts_once_however_many_segments_it_has() -> None:
    labels = {"functional_unit": "page", "units": "100"}
    spec = json.dumps({"labels": labels, "resources": {"cpu": 2}})
    found = found_of(attempts({}, {}, {"units": 7.0}), 1, 1, 1, spec=spec)
    metered = meter(found.attempts, {"north": 0}, [1.0])
    work = Work(
        at=np.arange(3),
        rows=found.planned,
        tries=np.arange(3),
        metered=metered,
        segments=None,  # type: ignore[arg-type]
        attempted=Attempted(segment=np.arange(3), runs=metered.runs(0)),
    )
    uses = uses_of(found, work, {"cpu": 0.5})
    assert uses.unit.to_pylist() == ["page"] * 3
    assert uses.units.tolist() == pytest.approx([100.0, np.nan, 7.0], nan_ok=True)
    assert uses.by_job.tolist() == [False, False, True]
    assert uses.embodied_kg.tolist() == [1.0] * 3
    assert np.isnan(uses_of(found, work, {}).embodied_kg).all()

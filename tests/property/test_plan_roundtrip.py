"""Any plan that is written is read back equal."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from outputs.plan import ForecastUse, InputFile, Plan, PlanMeta, PolicyOutcome
from outputs.plan_file import read_meta, read_plan, write_plan
from tests.factories_plan import small_plan, table_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
INSTANTS = st.datetimes(
    datetime(1970, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    datetime(2200, 1, 1),  # noqa: DTZ001  hypothesis adds the zone
    timezones=st.just(UTC),
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
INT32 = st.integers(-(2**31), 2**31 - 1)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NUMBERS | TEXT,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
    ),
    max_leaves=6,
)


def optional(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


def rows(planned: bool) -> st.SearchStrategy[dict[str, Any]]:
    def filled(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
        return strategy if planned else st.none()

    return st.fixed_dictionaries(
        {
            "job_id": TEXT,
            "segment": INT32,
            "status": st.just("planned" if planned else "unplaced"),
            "reason": optional(TEXT),
            "region": filled(TEXT),
            "start": filled(INSTANTS),
            "end": filled(INSTANTS),
            "replicas": filled(INT32),
            **{
                f"{name}": filled(NUMBERS)
                for name in ("power_kw", "energy_kwh", "solar_kwh", "grid_kwh")
            },
            "emissions_kg": filled(NUMBERS),
            "baseline_region": optional(TEXT),
            "baseline_start": optional(INSTANTS),
            "baseline_emissions_kg": optional(NUMBERS),
            "team": optional(TEXT),
            "executor": optional(TEXT),
            "command": optional(st.lists(TEXT, max_size=3)),
            "spec": TEXT,
        }
    )


METAS = st.builds(
    PlanMeta,
    plan_id=TEXT,
    serial=st.integers(),
    date=st.dates(date(1970, 1, 1)),
    timezone=TEXT,
    horizon_start=INSTANTS,
    horizon_end=INSTANTS,
    slot_minutes=st.integers(),
    solver=TEXT,
    solver_versions=st.dictionaries(TEXT, TEXT, max_size=2),
    seed=st.integers(),
    status=TEXT,
    objective=optional(NUMBERS),
    bound=optional(NUMBERS),
    gap=optional(NUMBERS),
    emissions_kg=NUMBERS,
    unplaced=st.integers(),
    policies=st.dictionaries(
        TEXT,
        st.builds(PolicyOutcome, emissions_kg=NUMBERS, unplaced=st.integers()),
        max_size=2,
    ),
    forecasts=st.lists(
        st.builds(
            ForecastUse,
            series=TEXT,
            region=TEXT,
            provider=TEXT,
            issued_at=optional(INSTANTS),
            signal=optional(TEXT),
            age_s=optional(NUMBERS),
            filled_slots=st.integers(),
            degraded=st.booleans(),
            notes=st.lists(TEXT, max_size=2).map(tuple),
        ),
        max_size=2,
    ).map(tuple),
    inputs=st.lists(st.builds(InputFile, path=TEXT, sha256=TEXT), max_size=2).map(
        tuple
    ),
    seconds=st.dictionaries(TEXT, NUMBERS, max_size=2),
    created_at=INSTANTS,
    planner_version=TEXT,
    degraded=st.booleans(),
    carry_over=optional(TEXT),
    warnings=st.lists(TEXT, max_size=2).map(tuple),
    settings=st.dictionaries(TEXT, JSON, max_size=3),
    found_by=st.dictionaries(TEXT, TEXT, max_size=2),
)


@settings(max_examples=40, deadline=None)
@given(table=st.lists(rows(True) | rows(False), max_size=6).map(table_of), meta=METAS)
def test_any_plan_written_is_read_back_equal(table: Any, meta: PlanMeta) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "plan.parquet"
        written = write_plan(Plan(rows=table, meta=meta), path)
        found = read_plan(path)
        assert found.rows.equals(written.rows)
        assert found.meta == written.meta == read_meta(path)
    given_rows = sorted(map(repr, table.to_pylist()))
    assert sorted(map(repr, found.rows.to_pylist())) == given_rows
    for name in PlanMeta.__dataclass_fields__:
        if name not in ("digest", "rows_digest", "signature"):
            assert getattr(found.meta, name) == getattr(meta, name)


@settings(max_examples=40, deadline=None)
@given(
    one=st.lists(rows(True), min_size=1, max_size=3).map(table_of),
    two=st.lists(rows(True), min_size=1, max_size=3).map(table_of),
)
def test_digests_are_equal_exactly_when_rows_are(one: Any, two: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        first, second = (
            write_plan(Plan(rows=table, meta=small_plan().meta), Path(folder) / "plan")
            for table in (one, two)
        )
    same = first.rows.equals(second.rows)
    assert (first.meta.digest == second.meta.digest) == same

"""What is written is read back; rows are sorted; the digest means the plan."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from outputs.errors import PlanFormatError
from outputs.plan import PLAN_SCHEMA, Plan
from outputs.plan_digest import rows_digest
from outputs.plan_file import META_KEY, read_meta, read_plan, write_plan
from tests.factories_plan import at, planned_row, small_plan, table_of, unplaced_row

DIGEST_OF_SMALL_PLAN = (
    "61588e097bceab961968d90bbb66d7e8dbaeda47b02cb8423def7ebf58512fa1"
)
CONTRACT_KEYS = (
    "schema_version plan_id serial date timezone horizon_start horizon_end "
    "slot_minutes solver solver_versions seed status objective bound gap "
    "emissions_kg unplaced policies forecasts inputs seconds created_at "
    "planner_version digest signature"
)


def metadata(path: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads(pq.read_metadata(path).metadata[META_KEY])
    return values


def digest_of(plan: Plan, folder: Path) -> str | None:
    return write_plan(plan, folder / "plan.parquet").meta.digest


def test_plan_written_is_the_plan_read(tmp_path: Path) -> None:
    written = write_plan(small_plan(), tmp_path / "plan.parquet")
    found = read_plan(tmp_path / "plan.parquet")
    assert found.rows.equals(written.rows)
    assert found.rows.schema.equals(PLAN_SCHEMA)
    assert found.meta == written.meta == read_meta(tmp_path / "plan.parquet")


def test_rows_are_sorted_by_start_job_and_segment_with_unplaced_last(
    tmp_path: Path,
) -> None:
    rows = [
        unplaced_row("b"),
        unplaced_row("a"),
        planned_row("late", start=at(5), end=at(6)),
        planned_row("b", segment=1),
        planned_row("b"),
        planned_row("a"),
    ]
    written = write_plan(small_plan(rows), tmp_path / "plan.parquet")
    names = list(
        zip(
            written.rows["job_id"].to_pylist(),
            written.rows["segment"].to_pylist(),
            strict=True,
        )
    )
    assert names == [("a", 0), ("b", 0), ("b", 1), ("late", 0), ("a", 0), ("b", 0)]


def test_other_libraries_see_the_contract(tmp_path: Path) -> None:
    path = tmp_path / "plan.parquet"
    write_plan(small_plan(), path)
    schema = pq.read_schema(path)
    assert schema.names == PLAN_SCHEMA.names
    assert [field.type for field in schema] == [field.type for field in PLAN_SCHEMA]
    values = metadata(path)
    assert set(CONTRACT_KEYS.split()) <= set(values)
    assert values["signature"] is None
    assert values["policies"] == {"asap": {"emissions_kg": 0.6, "unplaced": 0}}
    assert values["horizon_start"] == "2026-11-22T00:00:00+00:00"
    assert values["date"] == "2026-11-22"


def test_same_plan_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "1.parquet", tmp_path / "2.parquet"
    write_plan(small_plan(), first)
    write_plan(read_plan(first), second)
    assert first.read_bytes() == second.read_bytes()


def test_pages_carry_checksums(tmp_path: Path) -> None:
    path = tmp_path / "plan.parquet"
    write_plan(small_plan(), path)
    data = bytearray(path.read_bytes())
    column = pq.read_metadata(path).row_group(0).column(0)
    end = column.dictionary_page_offset + column.total_compressed_size
    data[end - 1] ^= 1
    path.write_bytes(data)
    pq.read_metadata(path)
    with pytest.raises(PlanFormatError, match=r"CRC|checksum"):
        read_plan(path)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("job_id", "aa"),
        ("segment", 1),
        ("reason", ""),
        ("region", "south"),
        ("end", at(2)),
        ("replicas", 2),
        ("power_kw", 2.0000000000000004),
        ("team", None),
        ("command", ["python embed.py"]),
        ("command", ["python", "embed.py", ""]),
        ("command", []),
        ("command", None),
        ("spec", "{}"),
    ],
)
def test_digest_changes_with_any_meaning(
    tmp_path: Path, column: str, value: object
) -> None:
    before = digest_of(small_plan([planned_row()]), tmp_path)
    after = digest_of(small_plan([planned_row(**{column: value})]), tmp_path)
    assert before != after


def test_digest_tells_text_apart_that_moves_between_rows(tmp_path: Path) -> None:
    one = small_plan([planned_row("a", team="xy"), planned_row("b", team="")])
    two = small_plan([planned_row("a", team="x"), planned_row("b", team="y")])
    assert digest_of(one, tmp_path) != digest_of(two, tmp_path)


def test_digest_does_not_depend_on_chunks_slices_or_order(tmp_path: Path) -> None:
    rows = [planned_row(f"job-{i}") for i in range(9)]
    plain = table_of(rows)
    sliced = table_of([planned_row("x"), *rows, planned_row("y")]).slice(1, 9)
    chunked = pa.concat_tables([plain.slice(0, 4), plain.slice(4)])
    assert rows_digest(plain) == rows_digest(sliced) == rows_digest(chunked)
    backwards = Plan(rows=plain.take(list(range(8, -1, -1))), meta=small_plan().meta)
    forwards = replace(backwards, rows=plain)
    assert digest_of(backwards, tmp_path) == digest_of(forwards, tmp_path)


def test_digest_stays_what_it_was() -> None:
    """Plans written by earlier versions must stay readable."""
    rows = small_plan().rows
    assert rows_digest(rows) == DIGEST_OF_SMALL_PLAN


def test_every_field_of_the_metadata_is_part_of_the_digest(tmp_path: Path) -> None:
    meta = small_plan().meta
    digests = {
        digest_of(replace(small_plan(), meta=changed), tmp_path)
        for changed in (
            meta,
            replace(meta, serial=2),
            replace(meta, gap=None),
            replace(meta, warnings=("one",)),
            replace(meta, settings={"gap": 0.1}),
        )
    }
    assert len(digests) == 5


def test_instants_are_stored_in_utc(tmp_path: Path) -> None:
    berlin = timezone(timedelta(hours=1))
    created = datetime(2026, 11, 21, 20, tzinfo=berlin)
    written = write_plan(small_plan(created_at=created), tmp_path / "plan.parquet")
    assert metadata(tmp_path / "plan.parquet")["created_at"].endswith("19:00:00+00:00")
    assert written.meta.created_at == created


def test_metadata_that_json_cannot_hold_are_refused(tmp_path: Path) -> None:
    for wrong in ({"gap": float("inf")}, {"settings": {"a": object()}}):
        with pytest.raises(PlanFormatError):
            write_plan(small_plan(**wrong), tmp_path / "plan.parquet")
    assert list(tmp_path.iterdir()) == []


def test_plan_without_rows_is_a_plan(tmp_path: Path) -> None:
    write_plan(small_plan([]), tmp_path / "plan.parquet")
    assert len(read_plan(tmp_path / "plan.parquet").rows) == 0


def test_metadata_read_alone_do_not_need_the_rows(tmp_path: Path) -> None:
    path = tmp_path / "plan.parquet"
    written = write_plan(small_plan(), path)
    data = bytearray(path.read_bytes())
    data[4:60] = bytes(56)
    path.write_bytes(data)
    assert asdict(read_meta(path)) == asdict(written.meta)
    with pytest.raises(PlanFormatError):
        read_plan(path)

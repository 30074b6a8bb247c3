"""Faults PL-04 and PL-07: damage and newer versions are refused in one clear line."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from outputs.errors import PlanFormatError
from outputs.plan import PLAN_SCHEMA, Plan
from outputs.plan_digest import plan_digest, rows_digest
from outputs.plan_file import (
    MAX_ROWS,
    MAX_UNPACKED_BYTES,
    META_KEY,
    read_meta,
    read_plan,
    require_bounded,
    write_plan,
)
from tests.factories_plan import planned_row, small_plan


def rewritten(
    path: Path,
    *,
    rows: pa.Table | None = None,
    meta: Callable[[dict[str, Any]], None] | None = None,
    seal: bool = True,
) -> Path:
    """Write a plan file again as someone with a Parquet library would."""
    table = pq.read_table(path) if rows is None else rows
    values = json.loads(pq.read_metadata(path).metadata[META_KEY])
    if meta is not None:
        meta(values)
    if seal:
        values["rows_digest"] = rows_digest(table)
        values["digest"] = plan_digest(values)
    text = json.dumps(values).encode()
    pq.write_table(table.replace_schema_metadata({META_KEY: text}), path)
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_plan(small_plan(), tmp_path / "plan-2026-11-22.parquet")
    return tmp_path / "plan-2026-11-22.parquet"


def require_refused_or_same(path: Path, whole: Plan) -> bool:
    """Whether the file was refused; if not it must be the identical plan."""
    message, found = None, None
    try:
        found = read_plan(path)
    except PlanFormatError as error:
        message = str(error)
    if found is None:
        assert message is not None
        assert message.startswith(f"{path}: ")
        assert "\n" not in message
        return True
    assert found.meta == whole.meta
    assert found.rows.equals(whole.rows)
    return False


def require_flips_harmless(path: Path, seed: int, flips: int) -> None:
    whole, data = read_plan(path), path.read_bytes()
    chance = random.Random(seed)
    refused = 0
    for _ in range(flips):
        bit = chance.randrange(8 * len(data))
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        refused += require_refused_or_same(path, whole)
    assert refused > flips / 2


def test_pl04_flipped_bits_never_give_another_plan(path: Path) -> None:
    require_flips_harmless(path, seed=4, flips=600)


@pytest.mark.slow
def test_pl04_ten_thousand_flipped_bits_never_give_another_plan(path: Path) -> None:
    require_flips_harmless(path, seed=40, flips=10_000)


def test_pl04_file_cut_at_any_length_is_refused(path: Path) -> None:
    for length in reversed(range(path.stat().st_size)):
        os.truncate(path, length)
        with pytest.raises(PlanFormatError):
            read_plan(path)


def test_pl04_every_flipped_bit_of_the_metadata_is_refused(path: Path) -> None:
    data = path.read_bytes()
    text = pq.read_metadata(path).metadata[META_KEY]
    start = data.index(text)
    for place in range(start, start + len(text), 7):
        damaged = bytearray(data)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        with pytest.raises(PlanFormatError):
            read_meta(path)


def test_pl04_swapped_bytes_in_the_footer_length_take_no_memory(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-8] + b"\xff\xff\xff\x7f" + data[-4:])
    with pytest.raises(PlanFormatError, match="a footer of 2147483647 bytes"):
        read_plan(path)


def test_pl04_random_bytes_are_refused(path: Path) -> None:
    chance = random.Random(1)
    for size in (0, 1, 11, 12, 100, 5_000):
        path.write_bytes(chance.randbytes(size))
        with pytest.raises(PlanFormatError):
            read_plan(path)
        path.write_bytes(b"PAR1" + chance.randbytes(size) + b"\x10\0\0\0PAR1")
        with pytest.raises(PlanFormatError):
            read_plan(path)


def test_pl04_changed_row_is_refused_even_with_valid_checksums(path: Path) -> None:
    table = pq.read_table(path)
    index = table.schema.get_field_index("energy_kwh")
    changed = [3.0, 3.0000001, None]
    table = table.set_column(index, "energy_kwh", pa.array(changed, pa.float64()))
    rewritten(path, rows=table, seal=False)
    with pytest.raises(PlanFormatError, match="the rows do not match their digest"):
        read_plan(path)


def test_pl04_changed_metadata_are_refused(path: Path) -> None:
    rewritten(path, meta=lambda values: values.update(serial=2), seal=False)
    with pytest.raises(PlanFormatError, match="the metadata do not match"):
        read_meta(path)


def test_pl04_plan_survives_another_encoding(path: Path) -> None:
    whole = read_plan(path)
    rewritten(path, seal=False)
    assert read_plan(path).rows.equals(whole.rows)
    assert read_plan(path).meta == whole.meta


@pytest.mark.parametrize(
    ("rows", "sizes", "message"),
    [
        (MAX_ROWS + 1, [1], f"{MAX_ROWS + 1} rows, expected at most"),
        (-1, [1], "-1 rows"),
        (1, [MAX_UNPACKED_BYTES, 1], "bytes when unpacked, expected at most"),
        (1, [-1], "bytes when unpacked"),
    ],
)
def test_pl04_claim_of_absurd_size_is_refused_before_memory_is_taken(
    rows: int, sizes: list[int], message: str
) -> None:
    footer = SimpleNamespace(
        num_rows=rows,
        num_row_groups=len(sizes),
        row_group=lambda i: SimpleNamespace(total_byte_size=sizes[i]),
    )
    with pytest.raises(PlanFormatError, match=message):
        require_bounded(footer)


def test_pl07_newer_schema_is_refused_naming_both_versions(path: Path) -> None:
    def newer(values: dict[str, Any]) -> None:
        values.update(schema_version=2, planner_version="9.1.0", unheard_of=[1])

    rewritten(path, meta=newer)
    for read in (read_plan, read_meta):
        with pytest.raises(
            PlanFormatError,
            match=r"plan schema 2, written by planner 9\.1\.0, is newer than schema 1",
        ):
            read(path)


@pytest.mark.parametrize("version", [0, -1, "1", 1.0, True, None])
def test_pl07_version_that_is_none_is_refused(path: Path, version: object) -> None:
    rewritten(path, meta=lambda values: values.update(schema_version=version))
    with pytest.raises(PlanFormatError, match="schema_version is"):
        read_plan(path)


@pytest.mark.parametrize("column", PLAN_SCHEMA.names)
def test_missing_column_is_named(path: Path, column: str) -> None:
    rewritten(path, rows=pq.read_table(path).drop_columns([column]))
    with pytest.raises(PlanFormatError, match=f"column {column} is missing"):
        read_plan(path)


@pytest.mark.parametrize("column", PLAN_SCHEMA.names)
def test_column_of_another_type_is_named(path: Path, column: str) -> None:
    table = pq.read_table(path)
    index = table.schema.get_field_index(column)
    other = pa.array([True] * len(table))
    rewritten(path, rows=table.set_column(index, column, other), seal=False)
    with pytest.raises(PlanFormatError, match=f"column {column} has type bool"):
        read_plan(path)


def test_unknown_column_is_named(path: Path) -> None:
    table = pq.read_table(path)
    rewritten(path, rows=table.append_column("colour", pa.array(["red"] * 3)))
    with pytest.raises(PlanFormatError, match="column 'colour' is unknown"):
        read_plan(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"status": "maybe"}, "status holds 'maybe'"),
        ({"region": None}, "has no region"),
        ({"start": None}, "has no start"),
        ({"energy_kwh": float("nan")}, "energy_kwh holds a number that is not finite"),
        ({"grid_kwh": float("inf")}, "grid_kwh holds a number that is not finite"),
        ({"command": ["a", None]}, "an argument without a value"),
        ({"start": -1}, "start lies outside"),
        ({"end": 2**62}, "end lies outside"),
    ],
)
def test_row_that_cannot_be_meant_is_neither_written_nor_read(
    path: Path, change: dict[str, Any], message: str
) -> None:
    plan = small_plan([planned_row(**change)])
    with pytest.raises(PlanFormatError, match=message):
        write_plan(plan, path)
    rewritten(path, rows=plan.rows)
    with pytest.raises(PlanFormatError, match=message):
        read_plan(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"serial": True}, "metadata.serial is True, expected int"),
        ({"serial": "1"}, "metadata.serial is '1', expected int"),
        ({"date": "tomorrow"}, "expected YYYY-MM-DD"),
        ({"created_at": "2026-11-22T00:00:00"}, "expected an instant with an offset"),
        ({"colour": 1}, "unknown key 'colour'"),
        ({"inputs": [{"path": "a"}]}, r"metadata.inputs\[0\] lacks the key 'sha256'"),
        ({"policies": []}, "metadata.policies is"),
        ({"objective": "low"}, "metadata.objective is 'low', expected float"),
        ({"rows_digest": None}, "expected str|lack the digest of the rows"),
    ],
)
def test_metadata_of_another_type_are_named(
    path: Path, change: dict[str, Any], message: str
) -> None:
    def late(values: dict[str, Any]) -> None:
        values.update(change)

    table = pq.read_table(path)
    values = json.loads(pq.read_metadata(path).metadata[META_KEY])
    late(values)
    values["digest"] = plan_digest(values)
    text = json.dumps(values).encode()
    pq.write_table(table.replace_schema_metadata({META_KEY: text}), path)
    with pytest.raises(PlanFormatError, match=message):
        read_meta(path)


@pytest.mark.parametrize(
    "text",
    [
        b"[]",
        b"",
        b"{",
        b'{"schema_version": 1, "schema_version": 1}',
        b'{"schema_version": NaN}',
        b'{"schema_version": 1e999}',
        b"[" * 100_000,
        b"\xff\xfe",
        b'{"schema_version": ' + b"9" * 5000 + b"}",
    ],
)
def test_metadata_that_are_not_plain_json_are_refused(path: Path, text: bytes) -> None:
    table = pq.read_table(path).replace_schema_metadata({META_KEY: text})
    pq.write_table(table, path)
    with pytest.raises(PlanFormatError, match="metadata are not"):
        read_meta(path)


def test_parquet_file_of_someone_else_is_refused(path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(PlanFormatError, match="without the metadata of a plan"):
        read_plan(path)


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(PlanFormatError, match="no such file; run planner solve"):
        read_plan(tmp_path / "plan.parquet")


def test_folder_and_pipe_are_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", "."):
        with pytest.raises(PlanFormatError, match="not a regular file"):
            read_plan(tmp_path / name)

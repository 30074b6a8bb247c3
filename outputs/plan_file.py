"""The plan file: Parquet rows with their provenance, sealed by a digest.

Written whole or not at all, read strictly or not at all: whatever is damaged, of
another shape or of a newer version is refused in one clear line.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from outputs.errors import PlanFormatError
from outputs.plan import PLAN_SCHEMA, SCHEMA_VERSION, Plan, PlanMeta
from outputs.plan_digest import canonical_json, plan_digest, rows_digest
from outputs.plan_layout import conform, require_schema, sort_rows
from outputs.plan_meta import from_json, parse_json, require_known_version, to_json
from outputs.plan_name import name_of
from outputs.plan_signature import KeyRing
from outputs.storage import write_atomically

META_KEY = b"planner"
MAX_ROWS = 50_000_000
UNSIGNED = KeyRing()
MAX_FILE_BYTES = 16 * 2**30
MAX_UNPACKED_BYTES = 32 * 2**30
MAX_FOOTER_BYTES = 64 * 2**20

_MAGIC = b"PAR1"
_TAIL_BYTES = 8
_MAX_FOOTER_ITEMS = 1_000_000
_ROW_GROUP_ROWS = 131_072
_DAMAGE = (pa.ArrowException, OSError, ValueError, MemoryError, OverflowError)
"""What the Parquet reader raises on bytes that it cannot make sense of."""


def write_plan(plan: Plan, path: Path, *, keys: KeyRing = UNSIGNED) -> Plan:
    """Write a plan whole or not at all.

    Parameters
    ----------
    plan
        Rows of ``PLAN_SCHEMA`` in any order.
    path
        The file; what was there before is replaced in one step.
    keys
        The first of them signs the plan.

    Returns
    -------
    Plan
        What ``read_plan`` will return: rows sorted, digests filled in.

    Raises
    ------
    PlanFormatError
        If the rows or metadata do not form a plan; nothing is written.
    PlanStorageError
        If the file cannot be written; what was there before is untouched.
    """
    sealed, text = _seal(plan, keys)

    def write(file: BinaryIO) -> None:
        with pq.ParquetWriter(
            file,
            PLAN_SCHEMA,
            compression="zstd",
            write_page_checksum=True,
            store_schema=False,
        ) as writer:
            writer.write_table(sealed.rows, row_group_size=_ROW_GROUP_ROWS)
            writer.add_key_value_metadata({META_KEY: text})

    write_atomically(path, write)
    return sealed


def read_plan(path: Path) -> Plan:
    """Read a plan and verify every checksum and digest.

    Raises
    ------
    PlanFormatError
        If the file is missing, is not a plan, is damaged, has another layout, or
        was written by a newer version. Nothing of it can then be used.
    """
    with _explained(path), _opened(path) as file:
        raw, meta = _verified_meta(file.metadata)
        require_bounded(file.metadata)
        require_schema(file.schema_arrow)
        table = file.read()
        table.validate(full=True)
        rows = conform(table)
        if rows_digest(rows) != raw["rows_digest"]:
            raise PlanFormatError("the rows do not match their digest")
        return Plan(rows=rows, meta=meta)


def read_meta(path: Path) -> PlanMeta:
    """Read and verify the metadata alone, at any size of plan in no time.

    The rows are vouched for only by ``read_plan``.

    Raises
    ------
    PlanFormatError
        If the file has no metadata of a plan, they are damaged, or a newer version
        wrote them.
    """
    with _explained(path), _opened(path) as file:
        return _verified_meta(file.metadata)[1]


def _seal(plan: Plan, keys: KeyRing) -> tuple[Plan, bytes]:
    """The plan as it will be read back, and the text of its metadata."""
    rows = sort_rows(conform(plan.rows))
    if len(rows) > MAX_ROWS:
        raise PlanFormatError(f"{len(rows)} rows, expected at most {MAX_ROWS}")
    values = to_json(
        replace(plan.meta, schema_version=SCHEMA_VERSION, rows_digest=rows_digest(rows))
    )
    try:
        digest = plan_digest(values)
        values |= {"digest": digest, "signature": keys.sign(digest)}
        meta = from_json(parse_json(canonical_json(values)))
    except (TypeError, ValueError, RecursionError) as error:
        raise PlanFormatError(f"metadata cannot be written: {error}") from error
    return Plan(rows=rows, meta=meta), canonical_json(values)


def _verified_meta(footer: pq.FileMetaData) -> tuple[dict[str, Any], PlanMeta]:
    text = (footer.metadata or {}).get(META_KEY)
    if text is None:
        raise PlanFormatError("a Parquet file without the metadata of a plan")
    raw = parse_json(text)
    require_known_version(raw)
    if raw.get("digest") != plan_digest(raw):
        raise PlanFormatError("the metadata do not match their digest")
    meta = from_json(raw)
    if meta.rows_digest is None:
        raise PlanFormatError("metadata lack the digest of the rows")
    return raw, meta


def require_bounded(footer: pq.FileMetaData) -> None:
    """Refuse what would take absurd memory before any is taken.

    Raises
    ------
    PlanFormatError
        If the footer claims more rows or bytes than any plan has.
    """
    groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
    unpacked = sum(group.total_byte_size for group in groups)
    if not 0 <= footer.num_rows <= MAX_ROWS:
        raise PlanFormatError(f"{footer.num_rows} rows, expected at most {MAX_ROWS}")
    if any(group.total_byte_size < 0 for group in groups) or (
        unpacked > MAX_UNPACKED_BYTES
    ):
        raise PlanFormatError(
            f"{unpacked} bytes when unpacked, expected at most {MAX_UNPACKED_BYTES}"
        )


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Parquet file whose claims of size have been looked at first."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise PlanFormatError("not a regular file")
    with path.open("rb") as raw:
        _require_plausible_tail(raw)
        with pq.ParquetFile(
            raw,
            page_checksum_verification=True,
            thrift_string_size_limit=MAX_FOOTER_BYTES,
            thrift_container_size_limit=_MAX_FOOTER_ITEMS,
        ) as file:
            yield file


def _require_plausible_tail(raw: BinaryIO) -> None:
    size = raw.seek(0, 2)
    if size > MAX_FILE_BYTES:
        raise PlanFormatError(f"{size} bytes, expected at most {MAX_FILE_BYTES}")
    if size < len(_MAGIC) + _TAIL_BYTES:
        raise PlanFormatError(f"{size} bytes are too few for a plan; it was cut short")
    raw.seek(-_TAIL_BYTES, 2)
    tail = raw.read(_TAIL_BYTES)
    footer = int.from_bytes(tail[:4], "little")
    if tail[4:] != _MAGIC:
        raise PlanFormatError("not a Parquet file, or cut short")
    if footer > min(size, MAX_FOOTER_BYTES):
        raise PlanFormatError(f"a footer of {footer} bytes in a file of {size}")
    raw.seek(0)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """One clear line, led by the file, for whatever is wrong with it."""
    try:
        yield
    except PlanFormatError as error:
        raise PlanFormatError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise PlanFormatError(
            f"{path}: no such file; run {_maker(path)} to make a plan"
        ) from error
    except PermissionError as error:
        raise PlanFormatError(f"{path}: this user may not read it") from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise PlanFormatError(
            f"{path}: cannot be read as a plan, it may be damaged ({reason})"
        ) from error


def _maker(path: Path) -> str:
    """Command that makes the plan of a file; by itself it would be tomorrow's."""
    name = name_of(path)
    if name is None or name.serial is not None:
        return "planner solve"
    return f"planner solve --date {name.date}"

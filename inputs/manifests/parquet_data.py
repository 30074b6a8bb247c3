"""Parquet as flat columns: structs become dotted names, maps one column a key."""

from __future__ import annotations

from collections import Counter

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from inputs.findings import Findings, quoted
from inputs.manifests.fields import MAPS, MAX_JOBS
from inputs.manifests.tree import MAX_DEPTH

_MAX_UNPACKED = 64 << 30
_MAX_MAP_KEYS = 256


def parse_parquet(data: bytes, findings: Findings) -> pa.Table:
    """Columns of a Parquet file; no rows if it is refused."""
    try:
        file = pq.ParquetFile(pa.BufferReader(data), page_checksum_verification=True)
        if _within_bounds(file.metadata, findings):
            table = file.read()
            table.validate(full=True)  # texts must be UTF-8
            return _flat(table, findings)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        words = str(error).splitlines()
        findings.add(found=quoted(words[0] if words else ""), expected="Parquet")
    return pa.table({})


def _within_bounds(metadata: pq.FileMetaData, findings: Findings) -> bool:
    groups = range(metadata.num_row_groups)
    unpacked = sum(metadata.row_group(i).total_byte_size for i in groups)
    for found, most, what in (
        (metadata.num_rows, MAX_JOBS, "rows"),
        (unpacked, _MAX_UNPACKED, "bytes unpacked"),
    ):
        if found > most:
            findings.add(found=f"{found:,} {what}", expected=f"at most {most:,}")
            return False
    return True


def _flat(table: pa.Table, findings: Findings) -> pa.Table:
    for _ in range(MAX_DEPTH):
        if not any(pa.types.is_struct(field.type) for field in table.schema):
            break
        table = table.flatten()
    for name in MAPS:
        if name in table.column_names and pa.types.is_map(table[name].type):
            table = _spread(table, name, findings)
    twice = [n for n, times in Counter(table.column_names).items() if times > 1]
    if twice:
        findings.add(
            found=f"the column {quoted(twice[0])} twice", expected="each column once"
        )
        return pa.table({})
    return table


def _spread(table: pa.Table, name: str, findings: Findings) -> pa.Table:
    """Replace a map column by one dotted column for each of its keys."""
    maps = table[name].combine_chunks()
    keys = sorted(set(pc.unique(maps.keys).to_pylist()))
    spread = table.drop_columns([name])
    if len(keys) > _MAX_MAP_KEYS:
        findings.add(
            field=name,
            found=f"{len(keys):,} different names",
            expected=f"at most {_MAX_MAP_KEYS}",
        )
        return spread
    for key in keys:
        values = pc.map_lookup(maps, pa.scalar(key, maps.type.key_type), "last")
        spread = spread.append_column(f"{name}.{key}", values)
    return spread

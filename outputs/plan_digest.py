"""Digests of what a plan means, not of how a file happens to encode it.

The rows' digest runs over every column in blocks of rows: for each value whether it
is there, then the lengths of text and lists, then the values themselves, absent
ones as zeros. Encoding, compression, row groups and chunks do not enter. The plan's
digest runs over the metadata, which hold the rows' digest; so the metadata can be
verified without reading a row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

BLOCK_ROWS = 65_536
UNSEALED_KEYS = frozenset({"digest", "signature"})
"""Metadata that cannot be part of what they seal."""


def rows_digest(rows: pa.Table) -> str:
    """SHA-256 over names, types and values of all columns. [hexadecimal]

    Parameters
    ----------
    rows
        Table of ``PLAN_SCHEMA``, in the plan's order.
    """
    columns = [(field, rows[field.name]) for field in rows.schema]
    heading = {field.name: str(field.type) for field in rows.schema}
    whole = hashlib.sha256(canonical_json({"rows": len(rows), "columns": heading}))
    for _, column in columns:
        part = hashlib.sha256()
        for start in range(0, len(column), BLOCK_ROWS):
            for buffer in _canonical(_one_array(column.slice(start, BLOCK_ROWS))):
                part.update(buffer)
        whole.update(part.digest())
    return whole.hexdigest()


def plan_digest(meta: Mapping[str, Any]) -> str:
    """SHA-256 over the metadata except digest and signature. [hexadecimal]"""
    sealed = {key: value for key, value in meta.items() if key not in UNSEALED_KEYS}
    return hashlib.sha256(canonical_json(sealed)).hexdigest()


def canonical_json(value: object) -> bytes:
    """Text that is the same for equal values: sorted keys, no spaces, ASCII.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    combined = column.combine_chunks()
    if isinstance(combined, pa.ChunkedArray):  # a block of more than 2 GiB of text
        return pa.concat_arrays(combined.cast(pa.large_string()).chunks)
    return combined


def _canonical(array: pa.Array) -> Iterator[memoryview]:
    """Bytes that are equal if and only if two arrays of one type are."""
    yield _bytes(array.is_valid().cast(pa.uint8()), np.uint8)
    if pa.types.is_list(array.type):
        yield _lengths(pc.list_value_length(array))
        yield from _canonical(array.flatten())
    elif pa.types.is_string(array.type) or pa.types.is_large_string(array.type):
        yield _lengths(pc.binary_length(array))
        yield _text(array)
    else:
        width = np.dtype(f"i{array.type.bit_width // 8}")
        yield _bytes(pc.fill_null(array, pa.scalar(0).cast(array.type)), width)


def _lengths(lengths: pa.Array) -> memoryview:
    return _bytes(pc.fill_null(lengths.cast(pa.int64()), 0), np.dtype("i8"))


def _text(array: pa.Array) -> memoryview:
    """Bytes of all strings, end to end; an absent string has none."""
    if array.null_count:
        array = pc.fill_null(array, "")
    _, offsets, data = array.buffers()
    width = np.dtype("i8" if pa.types.is_large_string(array.type) else "i4")
    edges = np.frombuffer(offsets, dtype=width)[array.offset :]
    if data is None or not len(array):
        return memoryview(b"")
    return memoryview(data)[int(edges[0]) : int(edges[len(array)])]


def _bytes(array: pa.Array, width: np.dtype[Any] | type[np.uint8]) -> memoryview:
    """Values of an array without nulls, little-endian on every machine."""
    data = array.buffers()[1]
    dtype = np.dtype(width)
    if data is None or not len(array):
        return memoryview(b"")
    values = np.frombuffer(data, dtype=dtype)[array.offset : array.offset + len(array)]
    return values.astype(dtype.newbyteorder("<"), copy=False).data.cast("B")

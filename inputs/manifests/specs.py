"""All that dispatch needs of each job, as JSON text, built column by column."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs.jobs import NO_INSTANT, Int64Array
from inputs.manifests.characters import CONTROL, holds_any
from inputs.manifests.draft import Draft, Entries
from inputs.timegrid import from_us

_US_PER_S = 1_000_000
_ESCAPED = CONTROL + b'"\\'


def spec_json(draft: Draft, deadline_us: Int64Array) -> pa.StringArray:
    """One JSON object a job, keys sorted; see ``inputs.jobs.Jobs.spec``.

    Parameters
    ----------
    draft
        Checked jobs.
    deadline_us
        Absolute deadlines, ``NO_INSTANT`` where there is none, shape (n_jobs,).
    """
    n_jobs = draft.n_jobs
    parts = {
        "command": _list_json(draft.lists("command")),
        "deadline": _instant_json(deadline_us),
        "env": _map_json(draft.maps.get("env"), n_jobs),
        "image": _text_json(draft.strings("image")),
        "labels": _map_json(draft.maps.get("labels"), n_jobs),
        "on_missed": _text_json(draft.strings("on_missed").fill_null("run")),
        "resources": _map_json(draft.maps.get("resources"), n_jobs),
        "retries": _number_json(draft.ints("retries", 0)),
        "timeout_s": _seconds_json(draft.ints("timeout", -1)),
    }
    words: list[object] = []
    for name in sorted(parts):
        words += [f'{"," if words else "{"}"{name}":', parts[name].fill_null("null")]
    return _join(*words, "}")


def _join(*words: object) -> pa.StringArray:
    return pc.binary_join_element_wise(*words, "")


def _text_json(values: pa.Array) -> pa.Array:
    """JSON strings; only texts with special characters take the slow way."""
    if not holds_any(values, _ESCAPED):
        return _join('"', values, '"')
    encoded = values.dictionary_encode()
    escaped = [
        None if text is None else json.dumps(text, ensure_ascii=False)
        for text in encoded.dictionary.to_pylist()
    ]
    return pa.array(escaped, pa.string()).take(encoded.indices)


def _list_json(lists: pa.Array) -> pa.Array:
    flat = _text_json(lists.flatten())
    offsets = np.zeros(len(lists) + 1, dtype=np.int32)
    lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False)
    np.cumsum(lengths, out=offsets[1:])
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, flat), ",")
    texts = _join("[", joined, "]")
    return pc.if_else(lists.is_valid(), texts, pa.scalar(None, pa.string()))


def _map_json(entries: Entries | None, n_jobs: int) -> pa.Array:
    if entries is None:
        return pa.repeat("{}", n_jobs)
    order = _by_row_and_key(entries)
    keys, values = entries.keys.take(order), entries.values.take(order)
    if pa.types.is_floating(values.type):
        texts = values.cast(pa.string())
    else:
        texts = _text_json(values)
    pairs = _join(_text_json(keys), ":", texts)
    offsets = np.zeros(n_jobs + 1, dtype=np.int32)
    np.cumsum(np.bincount(entries.rows, minlength=n_jobs), out=offsets[1:])
    joined = pc.binary_join(pa.ListArray.from_arrays(offsets, pairs), ",")
    return _join("{", joined, "}")


def _by_row_and_key(entries: Entries) -> pa.Array:
    """Order of entries by row, then key."""
    encoded = entries.keys.dictionary_encode()
    ranks = np.argsort(np.argsort(encoded.dictionary.to_pylist()))
    codes = encoded.indices.to_numpy()
    rank = ranks[codes] if len(codes) else codes
    return pa.array(np.lexsort((rank, entries.rows)))


def _instant_json(instants: Int64Array) -> pa.Array:
    different, codes = np.unique(instants, return_inverse=True)
    texts = [
        None if us == NO_INSTANT else f'"{from_us(us).isoformat()}"'
        for us in different.tolist()
    ]
    return pa.array(texts, pa.string()).take(pa.array(codes))


def _number_json(numbers: Int64Array) -> pa.Array:
    return pa.array(numbers).cast(pa.string())


def _seconds_json(lengths_us: Int64Array) -> pa.Array:
    texts = pa.array(lengths_us / _US_PER_S).cast(pa.string())
    return pc.if_else(pa.array(lengths_us >= 0), texts, pa.scalar(None, pa.string()))

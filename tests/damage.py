"""Good answers and files, damaged at random: what services and disks do to them.

``damaged_json`` changes what an answer means (values, types, keys, order, depth), then
perhaps its bytes; ``damaged_csv`` does the like to a table, ``damaged_tokens`` to
anything that is written in words and brackets, XML for one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import strategies as st

Path = tuple[Any, ...]
Draw = Callable[[st.SearchStrategy[Any]], Any]

_DEEP = "\x00deep\x00"
_DEPTHS = st.sampled_from([1, 3, 40, 3_000])
SPECIAL = st.sampled_from(
    ["2026-11-22T00:00Z", "2026-11-22T00:00", "9999-12-31T23:59:59Z",
     "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2026-11-22T24:00Z",
     "-1", "1e400", "24:00", "NaN", "", " ", "١٢", "nul\x00l", 1e308, -1e308, 5e-324,
     -0.0, 10**400, 2**63, -(2**63) - 1, -1, -999, 1e6, 0, True, [], {}, [[]]]
)  # fmt: skip
ODD = st.one_of(
    SPECIAL,
    st.none(),
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.text(max_size=8),
)
_BYTES = st.one_of(
    st.sampled_from([b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"{", b"]", b",",
                     b"-", b"9" * 30, b"e999", b"\\u", b"\\ud800", b"\r", b"\n\n"]),
    st.binary(max_size=6),
)  # fmt: skip
_TOKEN = re.compile(rb'"[^"]*"|<[^>]*>|[^<>"{}\[\],:\s]+|[{}\[\],:]')
"""Strings, tags, numbers and brackets of JSON and XML alike."""

_ODD_TOKENS = st.one_of(
    st.sampled_from(
        [b"null", b"true", b"-1", b"1e400", b"NaN", b'""', b"{}", b"[]", b"",
         b'"9999-12-31T23:59:59.9999999Z"', b'"0001-01-01T00:00:00+14:00"',
         b'"2026-11-22T00:00"', b"9" * 30, b"1e308", b"PT99999999M", b"P1Y", b"0",
         b"<Period>", b"</Period>", b"<!DOCTYPE x>", b"&lt;", b"<![CDATA[1]]>",
         b"2026-11-22T00:00Z", b"9999-12-31T23:59Z", b"PT0M", b"1", b"97"]
    ),
    st.binary(max_size=6),
)  # fmt: skip


@st.composite
def damaged_json(draw: Draw, text: str) -> bytes:
    """An answer that was good JSON, with one to four things wrong."""
    tree = json.loads(text)
    for _ in range(draw(st.integers(1, 3))):
        every = _places(tree)
        if not every:
            break
        how = draw(st.sampled_from(sorted(_CHANGES)))
        path = draw(st.sampled_from(every))
        tree = _changed(tree, path, _CHANGES[how], draw)
    body = json.dumps(tree).replace(
        json.dumps(_DEEP), _nested(draw) if _has_deep(tree) else ""
    )
    data = body.encode()
    return damaged_bytes(draw, data) if draw(st.booleans()) else data


@st.composite
def damaged_csv(draw: Draw, text: str) -> bytes:
    """A table that was good CSV, with one to four cells, rows or bytes wrong."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(draw(st.integers(1, 3))):
        row = draw(st.integers(0, len(rows) - 1))
        column = draw(st.integers(0, len(rows[row]) - 1)) if rows[row] else 0
        how = draw(st.sampled_from(["cell", "drop", "repeat", "swap", "row"]))
        if how == "cell" and rows[row]:
            rows[row][column] = str(draw(ODD))
        elif how == "drop":
            del rows[row][column : column + 1]
        elif how == "repeat":
            rows.insert(row, list(rows[row]))
        elif how == "swap":
            other = draw(st.integers(0, len(rows) - 1))
            rows[row], rows[other] = rows[other], rows[row]
        elif len(rows) > 1:
            del rows[row]
    data = "\n".join(",".join(cells) for cells in rows).encode("utf-8", "replace")
    return damaged_bytes(draw, data) if draw(st.booleans()) else data


@st.composite
def damaged_tokens(draw: Draw, data: bytes) -> bytes:
    """A text of which one to four words, tags or brackets are wrong."""
    body = data
    for _ in range(draw(st.integers(1, 3))):
        spans = [match.span() for match in _TOKEN.finditer(body)]
        if not spans:
            break
        start, end = draw(st.sampled_from(spans))
        how = draw(st.sampled_from(["odd", "drop", "repeat", "swap", "cut"]))
        part, rest = body[start:end], body[end:]
        if how == "swap":
            first, last = draw(st.sampled_from(spans))
            part = body[first:last]
        elif how == "cut":
            rest = b""
        else:
            part = {"odd": draw(_ODD_TOKENS), "drop": b"", "repeat": 2 * part}[how]
        body = body[:start] + part + rest
    return damaged_bytes(draw, body) if draw(st.booleans()) else body


def damaged_bytes(draw: Draw, data: bytes) -> bytes:
    """The same bytes cut, doubled or overwritten somewhere."""
    body = bytearray(data)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body)))
        length = draw(st.integers(0, 12))
        how = draw(st.sampled_from(["cut", "write", "twice"]))
        if how == "cut":
            del body[at:]
        elif how == "write":
            body[at : at + length] = draw(_BYTES)
        else:
            body[at:at] = body[at : at + 20 * length]
    return bytes(body)


def _places(value: Any, path: Path = ()) -> list[Path]:
    """Path of every value; of long lists the first two and the last."""
    keys: list[Any] = []
    if isinstance(value, dict):
        keys = list(value)
    elif isinstance(value, list):
        keys = sorted({0, 1, len(value) - 1} & set(range(len(value))))
    below = [place for key in keys for place in _places(value[key], (*path, key))]
    return [path, *below] if path else below


Change = Callable[[Any, Any, Draw], None]


def _changed(tree: Any, path: Path, change: Change, draw: Draw) -> Any:
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1], draw)
    return tree


def _odd(holder: Any, key: Any, draw: Draw) -> None:
    holder[key] = deepcopy(draw(ODD))  # else one input's list leaks into the next


def _drop(holder: Any, key: Any, draw: Draw) -> None:
    del holder[key]


def _rename(holder: Any, key: Any, draw: Draw) -> None:
    if isinstance(holder, dict):
        holder[draw(st.sampled_from([f"{key}s", key.upper(), "", "error"]))] = (
            holder.pop(key)
        )


def _repeat(holder: Any, key: Any, draw: Draw) -> None:
    if isinstance(holder, list):
        holder.extend([holder[key]] * draw(st.sampled_from([1, 3, 300])))


def _shuffle(holder: Any, key: Any, draw: Draw) -> None:
    if isinstance(holder, list):
        holder.reverse()


def _wrap(holder: Any, key: Any, draw: Draw) -> None:
    holder[key] = draw(st.sampled_from([[holder[key]], {"data": holder[key]}]))


def _deepen(holder: Any, key: Any, draw: Draw) -> None:
    holder[key] = _DEEP


def _scale(holder: Any, key: Any, draw: Draw) -> None:
    value = holder[key]
    if isinstance(value, int | float) and abs(value) < 2**63:
        holder[key] *= draw(st.sampled_from([0, -1, 1000, 0.001, 1e30]))


_CHANGES: dict[str, Change] = {
    "odd": _odd,
    "drop": _drop,
    "rename": _rename,
    "repeat": _repeat,
    "shuffle": _shuffle,
    "wrap": _wrap,
    "deepen": _deepen,
    "scale": _scale,
}


def _has_deep(tree: Any) -> bool:
    return json.dumps(_DEEP) in json.dumps(tree)


def _nested(draw: Draw) -> str:
    depth = draw(_DEPTHS)
    opening, closing = draw(st.sampled_from([("[", "]"), ('{"a":', "}")]))
    return f"{opening * depth}1{closing * depth}"

"""Good answers and files, damaged at random: what services and disks do to them.

``damaged_json`` changes what an answer means (values, types, keys, order, depth), then
perhaps its bytes; ``damaged_csv`` does the like to a table, ``damaged_tokens`` to
anything that is written in words and brackets, XML for one. All draw from one generator
of random numbers: a search strategy for each choice took twenty times as long as what
is tested.
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable
from copy import deepcopy
from random import Random
from typing import Any

Path = tuple[Any, ...]

_DEEP = "\x00deep\x00"
_DEPTHS = (1, 3, 40, 3_000)
SPECIAL = (
    "2026-11-22T00:00Z", "2026-11-22T00:00", "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+14:00", "2026-11-22T24:00Z",
    "-1", "1e400", "24:00", "NaN", "", " ", "١٢", "nul\x00l", 1e308, -1e308, 5e-324,
    -0.0, 10**400, 2**63, -(2**63) - 1, -1, -999, 1e6, 0, True, [], {}, [[]], None,
)  # fmt: skip
_BYTES = (
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b'"', b"{", b"]", b",", b"-", b"9" * 30,
    b"e999", b"\\u", b"\\ud800", b"\r", b"\n\n",
)  # fmt: skip
_TOKEN = re.compile(rb'"[^"]*"|<[^>]*>|[^<>"{}\[\],:\s]+|[{}\[\],:]')
"""Strings, tags, numbers and brackets of JSON and XML alike."""

_MARKS = b"<>{}[],:"
"""What a tag or a bracket begins with."""

_ODD_TOKENS = (
    b"null", b"true", b"-1", b"1e400", b"NaN", b'""', b"{}", b"[]", b"",
    b'"9999-12-31T23:59:59.9999999Z"', b'"0001-01-01T00:00:00+14:00"',
    b'"2026-11-22T00:00"', b"9" * 30, b"1e308", b"PT99999999M", b"P1Y", b"0",
    b"<Period>", b"</Period>", b"<!DOCTYPE x>", b"&lt;", b"<![CDATA[1]]>",
    b"2026-11-22T00:00Z", b"9999-12-31T23:59Z", b"PT0M", b"1", b"97",
)  # fmt: skip


def odd_value(rng: Random) -> Any:
    """What no service should answer: of the wrong kind, size or time."""
    how = rng.randrange(8)
    if how == 0:
        return rng.randint(-(10**25), 10**25)
    if how == 1:
        return struct.unpack("d", rng.randbytes(8))[0]
    if how == 2:
        return _text(rng)
    return deepcopy(rng.choice(SPECIAL))  # else one input's list leaks into the next


def _text(rng: Random) -> str:
    """A few characters from anywhere in Unicode, half a pair excepted."""
    top = rng.choice((0x7F, 0x2FFF, 0xD7FF))
    return "".join(chr(rng.randint(0, top)) for _ in range(rng.randrange(9)))


def _odd_bytes(rng: Random, known: tuple[bytes, ...]) -> bytes:
    return rng.randbytes(rng.randrange(7)) if rng.randrange(2) else rng.choice(known)


def damaged_json(rng: Random, text: str) -> bytes:
    """An answer that was good JSON, with one to four things wrong."""
    tree = json.loads(text)
    for _ in range(rng.randint(1, 3)):
        every = _places(tree)
        if not every:
            break
        how = rng.choice(list(_CHANGES))
        path = rng.choice(every)
        tree = _changed(tree, path, _CHANGES[how], rng)
    body = json.dumps(tree).replace(
        json.dumps(_DEEP), _nested(rng) if _has_deep(tree) else ""
    )
    data = body.encode()
    return damaged_bytes(rng, data) if rng.randrange(2) else data


def damaged_csv(rng: Random, text: str) -> bytes:
    """A table that was good CSV, with one to four cells, rows or bytes wrong."""
    rows = [line.split(",") for line in text.splitlines()]
    for _ in range(rng.randint(1, 3)):
        row = rng.randrange(len(rows))
        column = rng.randrange(len(rows[row])) if rows[row] else 0
        how = rng.choice(["cell", "drop", "repeat", "swap", "row"])
        if how == "cell" and rows[row]:
            rows[row][column] = str(odd_value(rng))
        elif how == "drop":
            del rows[row][column : column + 1]
        elif how == "repeat":
            rows.insert(row, list(rows[row]))
        elif how == "swap":
            other = rng.randrange(len(rows))
            rows[row], rows[other] = rows[other], rows[row]
        elif len(rows) > 1:
            del rows[row]
    data = "\n".join(",".join(cells) for cells in rows).encode("utf-8", "replace")
    return damaged_bytes(rng, data) if rng.randrange(2) else data


def damaged_tokens(rng: Random, data: bytes) -> bytes:
    """A text of which one to four words, tags or brackets are wrong.

    In half of them only words are, so that the text stays one that can be taken apart.
    """
    body, words_only = data, rng.randrange(2)
    hows = ["odd", "swap"] if words_only else ["odd", "drop", "repeat", "swap", "cut"]
    for _ in range(rng.randint(1, 3)):
        spans = [match.span() for match in _TOKEN.finditer(body)]
        if words_only:
            spans = [span for span in spans if body[span[0]] not in _MARKS]
        if not spans:
            break
        start, end = rng.choice(spans)
        how = rng.choice(hows)
        part, rest = body[start:end], body[end:]
        if how == "swap":
            first, last = rng.choice(spans)
            part = body[first:last]
        elif how == "cut":
            rest = b""
        else:
            odd = _odd_bytes(rng, _ODD_TOKENS)
            part = {"odd": odd, "drop": b"", "repeat": 2 * part}[how]
        body = body[:start] + part + rest
    return body if words_only or rng.randrange(2) else damaged_bytes(rng, body)


def damaged_bytes(rng: Random, data: bytes) -> bytes:
    """The same bytes cut, doubled or overwritten somewhere."""
    body = bytearray(data)
    for _ in range(rng.randint(1, 3)):
        at = rng.randint(0, len(body))
        length = rng.randint(0, 12)
        how = rng.choice(["cut", "write", "twice"])
        if how == "cut":
            del body[at:]
        elif how == "write":
            body[at : at + length] = _odd_bytes(rng, _BYTES)
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


Change = Callable[[Any, Any, Random], None]


def _changed(tree: Any, path: Path, change: Change, rng: Random) -> Any:
    holder = tree
    for key in path[:-1]:
        holder = holder[key]
    change(holder, path[-1], rng)
    return tree


def _odd(holder: Any, key: Any, rng: Random) -> None:
    holder[key] = odd_value(rng)


def _drop(holder: Any, key: Any, rng: Random) -> None:
    del holder[key]


def _rename(holder: Any, key: Any, rng: Random) -> None:
    if isinstance(holder, dict):
        name = rng.choice([f"{key}s", key.upper(), "", "error"])
        holder[name] = holder.pop(key)


def _repeat(holder: Any, key: Any, rng: Random) -> None:
    if isinstance(holder, list):
        holder.extend([holder[key]] * rng.choice([1, 3, 300]))


def _shuffle(holder: Any, key: Any, rng: Random) -> None:
    if isinstance(holder, list):
        holder.reverse()


def _wrap(holder: Any, key: Any, rng: Random) -> None:
    holder[key] = rng.choice([[holder[key]], {"data": holder[key]}])


def _deepen(holder: Any, key: Any, rng: Random) -> None:
    holder[key] = _DEEP


def _scale(holder: Any, key: Any, rng: Random) -> None:
    value = holder[key]
    if isinstance(value, int | float) and abs(value) < 2**63:
        holder[key] *= rng.choice([0, -1, 1000, 0.001, 1e30])


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


def _nested(rng: Random) -> str:
    depth = rng.choice(_DEPTHS)
    opening, closing = rng.choice([("[", "]"), ('{"a":', "}")])
    return f"{opening * depth}1{closing * depth}"

"""Where a key or a mistake stands in a TOML text; asked only if there is a problem."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Path = tuple[str | int, ...]

_HEADER = re.compile(r"\s*(\[\[?)\s*(.*?)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(
    r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PLACE = re.compile(r"(?P<what>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")


def line_of(text: str, path: Sequence[str | int]) -> int | None:
    """Line of a key, or of the closest table around it.

    Parameters
    ----------
    text
        A TOML document that could be parsed.
    path
        Keys from the root on; a number counts the tables of an array, from 0.

    Returns
    -------
    int or None
        Line number from 1 on; None if not even a table around it stands there.
    """
    best: tuple[int, int] | None = None
    wanted = tuple(path)
    for line, here in _places(text):
        known = len(here) if wanted[: len(here)] == here else 0
        if known and (best is None or known > best[0]):
            best = (known, line)
    return best[1] if best else None


def _places(text: str) -> Iterator[tuple[int, Path]]:
    table: Path = ()
    counts: dict[Path, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            keys = _keys(header[2])
            if keys is None:
                continue
            table = _inside(keys, counts)
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                table = (*table, counts[table])
            yield number, table
        elif (match := _KEY.match(line)) and (keys := _keys(match[1])):
            yield number, (*table, *keys)


def _inside(keys: Path, counts: dict[Path, int]) -> Path:
    """Path of a header whose parents may be arrays of tables: their last element."""
    path: Path = ()
    for depth, key in enumerate(keys):
        path = (*path, key)
        if path in counts and depth < len(keys) - 1:
            path = (*path, counts[path])
    return path


def _keys(dotted: str) -> Path | None:
    try:
        tree: object = tomllib.loads(f"{dotted} = 0")
    except tomllib.TOMLDecodeError:
        return None
    keys: list[str] = []
    while isinstance(tree, dict) and tree:
        ((key, tree),) = tree.items()
        keys.append(key)
    return tuple(keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Where and why a text is not TOML; ``line`` is None at its end."""

    found: str
    line: int | None


def mistake_in(error: ValueError) -> Mistake:
    """What the standard library says of a text that is not TOML, taken apart."""
    said = str(error)
    place = _PLACE.fullmatch(said)
    if place is None:
        return Mistake(found=f"a mistake ({said})", line=None)
    found = f"a mistake at column {place['column']} ({place['what']})"
    return Mistake(found=found, line=int(place["line"]))

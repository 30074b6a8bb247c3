"""Strict JSON: no NaN or Infinity, keys that stand twice are seen, bounded nesting."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from inputs.findings import Unreadable
from inputs.manifests.kinds import Doubtful
from inputs.manifests.tree import MAX_DEPTH, Document, NotADocument, Table

_LONGEST_INTEGER = 40
_SEARCHED = 8 << 20
"""Largest text in which lines are looked for: finding them costs more than parsing."""

_LIST, _JOB = 2, 3
"""Depth inside the list of jobs, and inside one job."""

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{},:]', re.DOTALL)


def parse_json(text: str) -> Document:
    """Value of a JSON text.

    Raises
    ------
    NotADocument
        If it is not JSON or is nested too deeply.
    """
    try:
        root = json.loads(
            text,
            object_pairs_hook=_table,
            parse_constant=_constant,
            parse_int=_integer,
        )
    except json.JSONDecodeError as error:
        raise NotADocument(Unreadable("JSON"), error.msg, error.lineno) from None
    except RecursionError:
        found = "deeper nesting"
        expected = f"at most {MAX_DEPTH} levels"
        raise NotADocument(Unreadable(expected), found) from None
    return Document(root, _Lines(text))


def _table(pairs: list[tuple[str, object]]) -> Table:
    table = Table()
    table.update(pairs)
    if len(table) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                table.duplicates.append(key)
            seen.add(key)
    return table


def _constant(text: str) -> Doubtful:
    return Doubtful(text, "JSON has no such number")


def _integer(text: str) -> object:
    if len(text) > _LONGEST_INTEGER:
        return Doubtful(text, "the number is too long")
    return int(text)


class _Lines:
    """Lines of jobs and their fields, found by one walk when first asked for."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[tuple[int, str | None], int] | None = None

    def __call__(self, job: int, field: str | None) -> int | None:
        if self._found is None:
            searched = len(self._text) <= _SEARCHED
            self._found = dict(_places(self._text)) if searched else {}
        key = field.partition(".")[0] if field else None
        return self._found.get((job, key), self._found.get((job, None)))


def _places(text: str) -> Iterator[tuple[tuple[int, str | None], int]]:
    """Each job's start, and each of its keys, in a text known to be JSON."""
    depth, job, line, counted = 0, -1, 1, 0
    inside = False
    key: str | None = None
    for match in _TOKEN.finditer(text):
        token, at = match[0], match.start()
        place: tuple[int, str | None] | None = None
        if token in ("[", "{"):
            depth += 1
            inside = inside or (token == "[" and depth == _LIST and key == "jobs")
            if inside and token == "{" and depth == _JOB:
                job += 1
                place = job, None
        elif token in ("]", "}"):
            depth -= 1
            inside = inside and depth >= _LIST
        elif token == ":" and inside and depth == _JOB:
            place = job, key
        elif token[0] == '"':
            key = json.loads(token)
        if place is not None:
            line += text.count("\n", counted, at)
            counted = at
            yield place, line

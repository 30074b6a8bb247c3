"""YAML 1.2 without surprises: core scalars, no tags, bounded aliases and nesting.

Built from PyYAML's events (its C parser where present), because its constructors
follow YAML 1.1, in which ``NO`` is false, ``22:30`` is 1350 and ``010`` is 8. Plain
scalars that readers disagree about become ``Doubtful`` and are refused by whatever
field they stand in, with the advice to quote them.
"""

from __future__ import annotations

import re
from typing import Any, NoReturn

import yaml

from inputs.findings import Unreadable, quoted
from inputs.manifests.kinds import Doubtful
from inputs.manifests.tree import (
    MAX_DEPTH,
    MAX_NODES,
    Document,
    NotADocument,
    Table,
)

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_CONSTANTS: dict[str, object] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9]\d{0,39})", re.ASCII)
_FLOAT = re.compile(r"[-+]?(\.\d+|(0|[1-9]\d*)(\.\d*)?)([eE][-+]?\d+)?", re.ASCII)
_DOUBTFUL = re.compile(
    r"[-+]?(0\d[\d_]*|0[oxb][\da-fA-F_]+|\d[\d_]*_[\d_]*|\d{41,}|\.(inf|nan))"
    r"|[-+]?0\d+\.\d*",
    re.ASCII | re.IGNORECASE,
)
_DOUBT = "YAML readers disagree about it: quote it if it is text"


def parse_yaml(text: str) -> Document:
    """Value of a YAML text.

    Raises
    ------
    NotADocument
        If it is not YAML, holds a tag, more than one document, or goes beyond
        ``MAX_DEPTH`` or ``MAX_NODES``.
    """
    try:
        root = _Builder(text).build()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotADocument(
            Unreadable("YAML", _advice(text, mark) or error.context),
            (error.problem or "a mistake").removeprefix("found "),
            mark.line + 1 if mark else None,
        ) from None
    except yaml.YAMLError as error:
        found = " ".join(str(error).split())
        raise NotADocument(Unreadable("YAML"), found) from None
    return Document(root, lambda job, field: _line(root, job, field))


def _advice(text: str, mark: yaml.Mark | None) -> str | None:
    """What to do about the commonest mistake."""
    lines = text.splitlines()
    if mark is None or mark.line >= len(lines):
        return None
    line = lines[mark.line]
    indent = line[: len(line) - len(line.lstrip())]
    return "indent with blanks, not with tabs" if "\t" in indent else None


def _line(root: object, job: int, field: str | None) -> int | None:
    jobs = root.get("jobs") if isinstance(root, Table) else None
    if not isinstance(jobs, list) or not isinstance(jobs[job], Table):
        return root.lines.get("jobs") if isinstance(root, Table) else None
    table: Table = jobs[job]
    line = table.line
    for key in field.split(".") if field else ():
        line = table.lines.get(key, line)
        below = table.get(key)
        if not isinstance(below, Table):
            break
        table = below
    return line


class _Builder:
    """Values from events, one method for each kind of node."""

    def __init__(self, text: str) -> None:
        self._loader = _LOADER(text)
        self._nodes = 0
        self._anchors: dict[str, tuple[object, int]] = {}

    def build(self) -> object:
        try:
            self._next()  # stream start
            if isinstance(self._loader.peek_event(), yaml.StreamEndEvent):
                return None
            self._next()  # document start
            root = self._node(self._next(), 0)
            self._next()  # document end
            after = self._next()
            if not isinstance(after, yaml.StreamEndEvent):
                self._refuse(after, "a second document", "one document a file")
            return root
        finally:
            self._loader.dispose()

    def _next(self) -> Any:
        return self._loader.get_event()

    def _node(self, event: Any, depth: int) -> object:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._nodes
        self._count(event, 1)
        if event.tag is not None:
            self._refuse(event, f"the tag {quoted(event.tag)}", "YAML without tags")
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        elif depth >= MAX_DEPTH:
            self._refuse(event, "deeper nesting", f"at most {MAX_DEPTH} levels")
        elif isinstance(event, yaml.SequenceStartEvent):
            value = self._sequence(depth + 1)
        else:
            value = self._mapping(event, depth + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._nodes - before
        return value

    def _alias(self, event: Any) -> object:
        if event.anchor not in self._anchors:
            self._refuse(event, f"*{event.anchor}", "an anchor defined before")
        value, size = self._anchors[event.anchor]
        self._count(event, size)
        return value

    def _sequence(self, depth: int) -> list[object]:
        items = []
        while not isinstance(event := self._next(), yaml.SequenceEndEvent):
            items.append(self._node(event, depth))
        return items

    def _mapping(self, start: Any, depth: int) -> Table:
        table = Table()
        table.line = start.start_mark.line + 1
        while not isinstance(event := self._next(), yaml.MappingEndEvent):
            node = self._node(event, depth)
            # A key is a name, whatever its plain scalar looks like.
            key = event.value if isinstance(event, yaml.ScalarEvent) else node
            if not isinstance(key, str):
                self._refuse(event, "a list or table as key", "a name")
            if key in table:
                table.duplicates.append(key)
            table.lines[key] = event.start_mark.line + 1
            table[key] = self._node(self._next(), depth)
        return table

    def _count(self, event: Any, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            self._refuse(
                event,
                "a document that unfolds to more",
                f"at most {MAX_NODES:,} values, aliases unfolded",
            )

    def _refuse(self, event: Any, found: str, expected: str) -> NoReturn:
        line = event.start_mark.line + 1
        raise NotADocument(Unreadable(expected), found, line)


def _scalar(event: Any) -> object:
    text: str = event.value
    if event.style:  # plain is None in Python's parser, empty in C's
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _DOUBTFUL.fullmatch(text):
        return Doubtful(text, _DOUBT)
    return float(text) if _FLOAT.fullmatch(text) else text

"""What a document parser hands on: plain values, and tables that know their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from inputs.findings import Unreadable

MAX_BYTES = 64 << 20
"""Largest YAML or JSON manifest; larger ones belong in Parquet or CSV."""

MAX_TOML_BYTES = 16 << 20
"""Largest TOML manifest: its parser is the slowest."""

MAX_DEPTH = 64
"""Deepest nesting of lists and tables."""

MAX_NODES = 10_000_000
"""Most values of a document, every use of a YAML alias counted in full."""


class NotADocument(Exception):
    """The text as a whole cannot be used; says where and why."""

    def __init__(self, reason: Unreadable, found: str, line: int | None = None) -> None:
        super().__init__(reason.expected)
        self.reason = reason
        self.found = found
        self.line = line


class Table(dict[str, object]):
    """A mapping that remembers where it stood and which keys stood twice."""

    __slots__ = ("duplicates", "line", "lines")

    def __init__(self) -> None:
        super().__init__()
        self.line: int | None = None
        self.lines: dict[str, int] = {}
        self.duplicates: list[str] = []


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed text.

    Parameters
    ----------
    root
        Its value: nested tables, lists and scalars.
    line_of
        Line of the n-th job, or of one of its fields.
    """

    root: object
    line_of: Callable[[int, str | None], int | None]

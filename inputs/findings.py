"""Problems gathered while reading, so that a user mends everything in one go."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from inputs.errors import Finding, InputError

SHOWN = 100
"""Findings spelt out for each file; the rest is counted."""

_WIDTH = 60
_NAMES = 8
_NAME_WIDTH = 140

E = TypeVar("E", bound=InputError)


class Unreadable(ValueError):
    """A value is not what its field takes; the message is what was expected."""

    def __init__(
        self, expected: str, hint: str | None = None, *, found: str = "this"
    ) -> None:
        super().__init__(expected)
        self.found = found
        self.expected = expected
        self.hint = hint


def quoted(value: object) -> str:
    """Value as it is shown in a message: on one line, never long."""
    return _one_line(f'"{value}"' if isinstance(value, str) else str(value), _WIDTH)


def _one_line(text: str, width: int) -> str:
    shown = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text[: 2 * width])
    return shown if len(shown) <= width else shown[: width - 1] + "…"


def nearest(name: str, known: Iterable[str]) -> str:
    """Hint that names the known name most like a mistyped one."""
    names = sorted(known)
    near = get_close_matches(name[:128], names, n=1, cutoff=0.5)
    if near:
        return f"did you mean {near[0]}?"
    shown = ", ".join(names[:_NAMES])
    return f"known: {shown}" + (", …" if len(names) > _NAMES else "")


class Findings:
    """Problems of one file: the first ones in full, all of them counted.

    Parameters
    ----------
    path
        The file, as the user named it.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.shown: list[Finding] = []
        self.total = 0

    def __bool__(self) -> bool:
        return self.total > 0

    @property
    def full(self) -> bool:
        """Whether further problems are only counted."""
        return len(self.shown) >= SHOWN

    def add(
        self,
        *,
        found: str,
        expected: str,
        line: int | None = None,
        job: str | None = None,
        field: str | None = None,
        hint: str | None = None,
    ) -> None:
        """Take in one problem of this file."""
        self.total += 1
        if not self.full:
            self.shown.append(
                Finding(
                    path=self.path,
                    line=line,
                    job=None if job is None else _one_line(job, _NAME_WIDTH),
                    field=None if field is None else _one_line(field, _NAME_WIDTH),
                    found=found,
                    expected=expected,
                    hint=hint,
                )
            )

    def add_rows(self, rows: npt.NDArray[np.intp], add: Callable[[int], None]) -> None:
        """Call ``add`` for as many rows as can be shown, and count the others."""
        room = SHOWN - len(self.shown)
        for row in rows[: max(room, 0)]:
            add(int(row))
        self.total += max(len(rows) - max(room, 0), 0)

    def raise_as(self, error: type[InputError]) -> None:
        """Raise everything together if there is anything."""
        if self:
            raise self.error(error)

    def error(self, error: type[E]) -> E:
        """All problems as one exception of the given class, by line."""
        ordered = sorted(self.shown, key=lambda f: (f.line is None, f.line or 0))
        return error(ordered, self.total - len(self.shown))

"""What a field of a job may hold; the same for every manifest format.

A kind says how one value is read (``parse``) and what a CSV cell means in terms of
a document's values (``from_text``). ``inputs.manifests.cells`` applies it to whole
columns: values that occur often are read once.
"""

# ruff: noqa: D102  what the methods do is documented once, in Kind

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import timedelta

import pyarrow as pa

from inputs.durations import EXPECTED as A_DURATION
from inputs.durations import parse_duration
from inputs.findings import Unreadable
from inputs.instants import EXPECTED as AN_INSTANT
from inputs.instants import parse_instant
from inputs.manifests.argv import split_words
from inputs.timegrid import TimeGrid

EARLIEST = -(2**63) + 1
"""Marks a pinned start that means the job's earliest start."""

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d{1,4})?", re.ASCII)
_INTEGER = re.compile(r"[-+]?\d{1,18}", re.ASCII)
_MAX_LENGTH = timedelta(days=366)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Doubtful:
    """A scalar that readers of its format disagree about, as it was written."""

    text: str
    hint: str

    def __str__(self) -> str:
        return self.text


class Kind:
    """One kind of field.

    Attributes
    ----------
    arrow
        Type of the column that its values become.
    expected
        What is accepted, in words that complete "expected …".
    """

    arrow: pa.DataType = pa.string()
    expected: str = "text"

    def read(self, raw: object, grid: TimeGrid) -> object:
        """Value meant by a document's scalar, list or table.

        Raises
        ------
        Unreadable
            If the field does not take it.
        """
        if isinstance(raw, Doubtful):
            raise Unreadable(self.expected, raw.hint)
        return self.parse(raw, grid)

    def parse(self, raw: object, grid: TimeGrid) -> object:
        """Value of this kind; ``raw`` is a plain Python value other than None."""
        raise NotImplementedError

    def from_text(self, text: str) -> object:
        """Document value that a CSV cell stands for."""
        return text

    def refuse(self, hint: str | None = None) -> Unreadable:
        """Error that says what was expected."""
        return Unreadable(self.expected, hint)


class Text(Kind):
    """A string that matches a pattern as a whole.

    Parameters
    ----------
    pattern
        RE2 syntax, because columns are matched by pyarrow.
    expected
        The pattern in words.
    """

    def __init__(self, pattern: str, expected: str) -> None:
        self.pattern = f"^(?:{pattern})$"
        self.expected = expected
        # Python's $ would let a trailing newline through, RE2's does not.
        self._compiled = re.compile(rf"(?:{pattern})\Z")

    def parse(self, raw: object, grid: TimeGrid) -> str:
        if not isinstance(raw, str):
            raise self.refuse("quote it" if isinstance(raw, int | float) else None)
        if not self._compiled.match(raw):
            raise self.refuse()
        return raw


class Number(Kind):
    """A finite number within bounds."""

    arrow = pa.float64()

    def __init__(
        self,
        low: float,
        high: float = 1e12,
        *,
        open_low: bool = False,
        zero_hint: str | None = None,
    ) -> None:
        self._zero_hint = zero_hint
        self.low = math.nextafter(low, math.inf) if open_low else low
        self.high = high
        above = f"more than {low:g}" if open_low else f"{low:g} or more"
        self.expected = f"a number, {above}, at most {high:g}"

    def parse(self, raw: object, grid: TimeGrid) -> float:
        if isinstance(raw, bool) or not isinstance(raw, int | float):
            raise self.refuse()
        if not self.low <= raw <= self.high:
            raise self.refuse(self._zero_hint if raw == 0 else None)
        return float(raw)

    def from_text(self, text: str) -> object:
        cell = text.strip()
        if _INTEGER.fullmatch(cell):
            return int(cell)
        return float(cell) if _NUMBER.fullmatch(cell) else text


class Whole(Kind):
    """A whole number within bounds."""

    arrow = pa.int64()

    def __init__(self, low: int, high: int) -> None:
        self.low, self.high = low, high
        self.expected = f"a whole number from {low} to {high:,}"

    def parse(self, raw: object, grid: TimeGrid) -> int:
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        if isinstance(raw, bool) or not isinstance(raw, int):
            raise self.refuse()
        if not self.low <= raw <= self.high:
            raise self.refuse()
        return raw

    def from_text(self, text: str) -> object:
        cell = text.strip()
        return int(cell) if _INTEGER.fullmatch(cell) else text


class Flag(Kind):
    """True or false."""

    arrow = pa.bool_()
    expected = "true or false"

    def parse(self, raw: object, grid: TimeGrid) -> bool:
        if not isinstance(raw, bool):
            raise self.refuse()
        return raw

    def from_text(self, text: str) -> object:
        return {"true": True, "false": False}.get(text.strip().lower(), text)


class Length(Kind):
    """A length of time, in microseconds."""

    arrow = pa.int64()

    def __init__(self, *, zero: bool = False) -> None:
        self.low = 0 if zero else 1
        self.high = _MAX_LENGTH // _MICROSECOND
        above = "0 or more" if zero else "more than 0"
        self.expected = f"{A_DURATION}, {above}, at most 366 days"

    def parse(self, raw: object, grid: TimeGrid) -> int:
        if isinstance(raw, float) and raw.is_integer():
            raw = int(raw)
        try:
            length = parse_duration(raw) // _MICROSECOND
        except (ValueError, OverflowError):
            raise self.refuse() from None
        if not self.low <= length <= self.high:
            raise self.refuse()
        return length

    def from_text(self, text: str) -> object:
        cell = text.strip()
        return float(cell) if "." in cell and _NUMBER.fullmatch(cell) else cell


class Moment(Kind):
    """An instant, in microseconds since 1970 UTC."""

    arrow = pa.int64()
    expected = AN_INSTANT

    def parse(self, raw: object, grid: TimeGrid) -> int:
        return parse_instant(raw, grid)


class PinnedStart(Moment):
    """An instant, or the word ``earliest``."""

    expected = f'{AN_INSTANT}, or "earliest"'

    def parse(self, raw: object, grid: TimeGrid) -> int:
        return EARLIEST if raw == "earliest" else super().parse(raw, grid)


class Words(Kind):
    """A list of names; separated by spaces in CSV."""

    arrow = pa.list_(pa.string())

    def __init__(self, what: str, most: int) -> None:
        self.most = most
        self.expected = f"a list of {what}, at most {most:,}"

    def parse(self, raw: object, grid: TimeGrid) -> list[str]:
        if not isinstance(raw, list | tuple) or len(raw) > self.most:
            raise self.refuse()
        if not all(isinstance(word, str) and word for word in raw):
            doubts = [w.hint for w in raw if isinstance(w, Doubtful)]
            raise self.refuse(doubts[0] if doubts else None)
        return list(raw)

    def from_text(self, text: str) -> object:
        return text.split()


class Arguments(Kind):
    """The words of a command; split as a POSIX shell would in CSV."""

    arrow = pa.list_(pa.string())
    expected = "a list of strings: the program and its arguments"

    def parse(self, raw: object, grid: TimeGrid) -> list[str]:
        if isinstance(raw, str):
            raise self.refuse("write it as a list; no shell reads it")
        if not isinstance(raw, list | tuple) or not raw or not raw[0]:
            raise self.refuse()
        for word in raw:
            if not isinstance(word, str):
                raise self.refuse(f"quote {word}")
            if "\0" in word:
                raise self.refuse("a zero byte cannot be passed to a program")
        return list(raw)

    def from_text(self, text: str) -> object:
        try:
            return split_words(text)
        except ValueError as error:
            hint = f"{error}: the cell is split as a shell would"
            raise self.refuse(hint) from None

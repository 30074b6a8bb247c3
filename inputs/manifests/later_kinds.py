"""Kinds of fields that are checked for their shape, because planning comes later."""

# ruff: noqa: D102  what the methods do is documented once, in Kind

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from inputs.findings import Unreadable
from inputs.manifests.kinds import Kind, Length, Number
from inputs.timegrid import TimeGrid


class Numbers(Kind):
    """A list of numbers; separated by spaces in CSV. Checked, not yet used."""

    arrow = pa.bool_()
    expected = "a list of numbers more than 0"

    def parse(self, raw: object, grid: TimeGrid) -> bool:
        if not isinstance(raw, list | tuple) or not raw:
            raise self.refuse()
        one = Number(0, open_low=True)
        try:
            for number in raw:
                one.parse(number, grid)
        except Unreadable:
            raise self.refuse() from None
        return True

    def from_text(self, text: str) -> object:
        one = Number(0)
        return [one.from_text(word) for word in text.split()]


class Profile(Kind):
    """Power over a job's run: a list of steps. Checked, not yet used."""

    arrow = pa.bool_()
    expected = "a list of steps such as { for: 15m, kw: 3.2 }"
    _steps = Length()
    _power = Number(0)

    def parse(self, raw: object, grid: TimeGrid) -> bool:
        if not isinstance(raw, list | tuple) or not raw:
            raise self.refuse()
        for step in raw:
            if not isinstance(step, dict) or set(step) != {"for", "kw"}:
                raise self.refuse()
            self._steps.read(step["for"], grid)
            self._power.read(step["kw"], grid)
        return True

    def from_text(self, text: str) -> object:
        raise self.refuse("CSV cannot hold it; use another format")


class Recurrence(Kind):
    """A cron expression of five fields. Checked, not yet used."""

    expected = "a cron expression of 5 fields such as 30 2 * * 1-5"
    _RANGES: Sequence[tuple[int, int]] = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))
    _PART = re.compile(r"(\*|(\d{1,2})(?:-(\d{1,2}))?)(?:/(\d{1,2}))?", re.ASCII)

    def parse(self, raw: object, grid: TimeGrid) -> str:
        if not isinstance(raw, str) or len(fields := raw.split()) != len(self._RANGES):
            raise self.refuse()
        for field, (low, high) in zip(fields, self._RANGES, strict=True):
            for part in field.split(","):
                match = self._PART.fullmatch(part)
                if not match or match[4] in ("0", "00"):
                    raise self.refuse()
                ends = [int(end) for end in (match[2], match[3]) if end]
                if ends != sorted(ends) or any(not low <= e <= high for e in ends):
                    raise self.refuse()
        return raw

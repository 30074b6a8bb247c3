"""One message to one channel: the incidents that wait for it, together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

MOST = 50
"""Incidents that one message spells out; further ones are only counted."""

LONGEST = 500
"""Characters of one incident's text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One incident as it is told; free of secrets.

    Parameters
    ----------
    id
        The same whenever it is sent again, so that a receiver can tell.
    """

    id: str
    trouble: str
    code: str
    text: str
    at: datetime
    facts: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is sent at once.

    Parameters
    ----------
    id
        The same whenever the same notices are sent again.
    site
        Whose; None for an unnamed one.
    at
        When it is sent, aware.
    notices
        Those that are spelt out.
    more
        How many are only counted.
    """

    id: str
    site: str | None
    at: datetime
    notices: tuple[Notice, ...]
    more: int = 0

    @property
    def subject(self) -> str:
        """The whole in a few words."""
        counts: dict[str, int] = {}
        for notice in self.notices:
            counts[notice.trouble] = counts.get(notice.trouble, 0) + 1
        listed = ", ".join(f"{number} {what}" for what, number in counts.items())
        more = f" and {self.more} more" if self.more else ""
        return f"planner {self.site or 'site'}: {listed}{more}"

    @property
    def lines(self) -> list[str]:
        """Each notice on a line of its own."""
        told = [
            f"{notice.at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ} {notice.code}: "
            f"{shortened(notice.text)}"
            for notice in self.notices
        ]
        return [*told, f"and {self.more} more"] if self.more else told


def shortened(text: str) -> str:
    """Text on one line, printable, of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"

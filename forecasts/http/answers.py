"""The newest answer to each question, kept on disk.

A folder for each provider and zone holds one file for each different question: an
answer asked for again within minutes costs no request, and the newest answer of the
folder is the last good forecast when the service fails.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from forecasts.http.message import HttpRequest
from forecasts.whole_file import write_whole

KEPT = timedelta(days=7)
"""Older answers are forgotten: no forecast reaches further."""

_MAX_BYTES = 64 << 20
_SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """Body of an answer and when it came."""

    body: bytes = field(repr=False)
    fetched_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Answers about one zone of one provider.

    Parameters
    ----------
    folder
        Of this provider and zone alone.
    """

    folder: Path

    def keep(self, request: HttpRequest, body: bytes, *, fetched_at: datetime) -> None:
        """Replace the answer to a question; the client left no secret in it.

        Raises
        ------
        OSError
            If the disk refuses; the earlier answer is then kept.
        """
        text = body.decode("utf-8", errors="replace")
        at = fetched_at.isoformat()
        content = {
            "schema": _SCHEMA,
            "address": request.address,
            "fetched_at": at,
            "sha256": _digest(at, text),
            "body": text,
        }
        write_whole(self._path(request), json.dumps(content).encode())
        self._forget(fetched_at - KEPT)

    def same(self, request: HttpRequest) -> KeptAnswer | None:
        """Answer to the very same question."""
        return _read(self._path(request))

    def newest(self, now: datetime) -> KeptAnswer | None:
        """Newest answer about the zone, whatever the horizon that was asked for."""
        known = [kept for _, kept in self._every() if kept.fetched_at <= now]
        return max(known, key=lambda kept: kept.fetched_at, default=None)

    def _forget(self, before: datetime) -> None:
        for path, kept in self._every():
            if kept.fetched_at < before:
                path.unlink(missing_ok=True)

    def _every(self) -> Iterator[tuple[Path, KeptAnswer]]:
        for path in sorted(self.folder.glob("*.json")):
            if (kept := _read(path)) is not None:
                yield path, kept

    def _path(self, request: HttpRequest) -> Path:
        return self.folder / f"{_digest(request.address)[:24]}.json"


def folder_name(zone: str) -> str:
    """Name of a folder for a zone: nothing in it leads elsewhere.

    Examples
    --------
    >>> folder_name("SE-SE3"), folder_name("../x")
    ('SE-SE3', '___x')
    """
    return re.sub(r"[^A-Za-z0-9_-]", "_", zone)


def _read(path: Path) -> KeptAnswer | None:
    """Answer in a file; a file that is not whole is no answer."""
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MAX_BYTES))
        text, fetched_at = (
            content["body"],
            datetime.fromisoformat(content["fetched_at"]),
        )
        whole = content["schema"] == _SCHEMA and content["sha256"] == _digest(
            content["fetched_at"], text
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    if not whole or fetched_at.tzinfo is None:
        return None
    return KeptAnswer(body=text.encode(), fetched_at=fetched_at)


def _digest(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()

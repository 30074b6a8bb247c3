"""Hosts that asked to be left alone, remembered by this run and the next ones."""

from __future__ import annotations

import json
import logging
import re
from datetime import datetime, timedelta
from pathlib import Path

from forecasts.http.limits import MAX_COOL_DOWN_S
from forecasts.whole_file import write_whole

logger = logging.getLogger(__name__)
_MAX_BYTES = 4096


class CoolDowns:
    """Until when each host rests.

    Parameters
    ----------
    folder
        Where one small file for each host is kept; None remembers within this run.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._known: dict[str, datetime] = {}

    def until(self, origin: str, now: datetime) -> datetime | None:
        """End of a host's rest if it lies ahead.

        A file that cannot be read or names an instant further away than any rest
        lasts is no reason to leave a host alone.
        """
        end = self._known.get(origin) or self._read(origin)
        longest = now + timedelta(seconds=MAX_COOL_DOWN_S)
        return end if end is not None and now < end <= longest else None

    def begin(self, origin: str, until: datetime) -> None:
        """Leave a host alone until an instant."""
        self._known[origin] = until
        if self._folder is None:
            return
        text = json.dumps({"origin": origin, "until": until.isoformat()})
        try:
            write_whole(self._path(self._folder, origin), text.encode())
        except OSError as error:
            logger.warning("cool-down of %s is not kept: %s", origin, error.strerror)

    def _read(self, origin: str) -> datetime | None:
        if self._folder is None:
            return None
        try:
            with self._path(self._folder, origin).open("rb") as file:
                kept = json.loads(file.read(_MAX_BYTES))
            end = datetime.fromisoformat(kept["until"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return end if end.tzinfo is not None else None

    @staticmethod
    def _path(folder: Path, origin: str) -> Path:
        return folder / f"{re.sub(r'[^A-Za-z0-9.-]+', '_', origin)}.json"

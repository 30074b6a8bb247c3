"""Instants as people read them: in the workspace's time zone, with their offset."""

from __future__ import annotations

from datetime import datetime, tzinfo


def shown(instant: datetime, zone: tzinfo, *, seconds: bool = False) -> str:
    """An instant in a time zone, which its offset tells; ``Z`` for none.

    Parameters
    ----------
    seconds
        Whether to show them.
    """
    text = instant.astimezone(zone).isoformat(
        timespec="seconds" if seconds else "minutes"
    )
    return text.replace("+00:00", "Z")

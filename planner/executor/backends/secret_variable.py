"""Secrets from the environment, or from files named there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

MAX_BYTES = 16 << 10


def secret_text(environ: Mapping[str, str], name: str) -> str | None:
    """Content of a variable, or of the file that ``NAME_FILE`` names.

    None if there is neither, or the file cannot be read.
    """
    text = environ.get(name)
    path = environ.get(f"{name}_FILE")
    if not text and path:
        try:
            with Path(path).open("rb") as file:
                text = file.read(MAX_BYTES).decode()
        except (OSError, ValueError):
            return None
    return (text or "").strip() or None

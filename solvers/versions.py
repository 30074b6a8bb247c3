"""Versions of the engines that are named beside their answers."""

from __future__ import annotations

from functools import cache
from importlib import metadata


@cache
def version_of(distribution: str) -> str:
    """Installed version of a distribution; looked up once, as that takes some ms."""
    return metadata.version(distribution)

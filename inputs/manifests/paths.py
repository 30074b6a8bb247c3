"""Which files the settings mean by ``jobs = [...]``."""

from __future__ import annotations

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class ManifestPath:
    """One manifest: where it lies, and how messages name it."""

    file: Path
    shown: str

    @property
    def suffix(self) -> str:
        """Last suffix in lower case; decides the format."""
        return self.file.suffix.lower()


def expand(root: Path, patterns: Sequence[str]) -> tuple[list[ManifestPath], list[str]]:
    """Manifests in order of the patterns, those of one pattern by name; and notes.

    A file that several patterns match is read once. A plain path is returned even
    if nothing is there, so that its absence is told.
    """
    found: dict[Path, ManifestPath] = {}
    notes = []
    for pattern in patterns:
        if glob.has_magic(pattern):
            names = sorted(glob.glob(pattern, root_dir=root, recursive=True))  # noqa: PTH207  keeps relative names
            names = [name for name in names if not (root / name).is_dir()]
        else:
            names = [pattern]
        if not names:
            notes.append(f"no manifest matches {pattern}")
        for name in names:
            file = root / name
            found.setdefault(file.resolve(), ManifestPath(file=file, shown=name))
    return list(found.values()), notes

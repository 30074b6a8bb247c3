"""Files of an export on disk, each old or new, never partial."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from outputs.errors import PlanStorageError
from outputs.export.sheet import ExportFile
from outputs.storage import probe, write_atomically

_PROGRAM = 0o755
_DATED = re.compile(r"planner-\d{8}-")


def write_file(path: Path, file: ExportFile) -> Path:
    """Write one file under a name of the user's."""
    data = file.text.encode()

    def write(target: BinaryIO) -> None:
        target.write(data)

    if path.is_dir():
        raise PlanStorageError(f"{path}: is a folder; name a file")
    if not path.parent.is_dir():
        probe(path.parent)
    write_atomically(path, write)
    if file.is_program:
        path.chmod(_PROGRAM)
    return path


def write_folder(folder: Path, files: Sequence[ExportFile]) -> list[Path]:
    """Write files into a folder, which is made if need be."""
    probe(folder)
    return [write_file(folder / file.name, file) for file in files]


def strangers(folder: Path, files: Sequence[ExportFile]) -> list[Path]:
    """Files of an earlier export of the date that this one no longer holds."""
    mine = {file.name for file in files}
    dated = {match[0] for name in mine if (match := _DATED.match(name))}
    return sorted(
        path
        for prefix in dated
        for path in folder.glob(f"{prefix}*")
        if path.name not in mine and path.is_file()
    )

"""The example workspace that ``planner init`` copies."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from inputs.errors import Finding, SettingsError

FILES = (
    "planner.toml",
    "inputs/search.yaml",
    "inputs/models.yaml",
    "inputs/etl.csv",
)


def copy_example(folder: Path) -> list[Path]:
    """Copy the example into a folder, made if need be; returns what was written.

    Raises
    ------
    SettingsError
        If a file of the example is there already; then nothing is written.
    """
    targets = [folder / name for name in FILES]
    taken = [
        Finding(
            path=str(path),
            found="an existing file",
            expected="a folder without a workspace",
            hint="name another folder",
        )
        for path in targets
        if path.exists()
    ]
    if taken:
        raise SettingsError(taken)
    for name, target in zip(FILES, targets, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_packaged(name).read_bytes())
    return targets


def _packaged(name: str) -> Traversable:
    return files(__name__).joinpath(*name.split("/"))

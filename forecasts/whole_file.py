"""Files that are old or new, never partial, even when the process is killed."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

_SUFFIX = ".part"


def write_whole(path: Path, data: bytes) -> None:
    """Replace a file in one step; its folder is made.

    The bytes go to a hidden file beside it, reach the disk, and then take its name.
    What a killed process left behind is removed by the next one.

    Parameters
    ----------
    path
        The file.
    data
        All of its content.

    Raises
    ------
    OSError
        If the disk refuses; the file is then as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path.parent)
    part = path.with_name(f".{path.name}.{os.getpid()}{_SUFFIX}")
    try:
        with part.open("wb") as file:
            # whoever can take this lock knows that nobody is writing any more
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            part.replace(path)
    except OSError as error:
        if error.filename is None:  # a full disk does not say which file it refused
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        part.unlink(missing_ok=True)


def _remove_leftovers(folder: Path) -> None:
    for part in folder.glob(f".*{_SUFFIX}"):
        with suppress(OSError), part.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            part.unlink()

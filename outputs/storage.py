"""Files that are old or new, never partial; and one planner at a time.

A file is written under a hidden name in its own folder, flushed to the disk, and
put in place by one rename. Whatever stops that leaves what was there before.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from outputs.errors import LockHeldError, PlanStorageError

LOCK_NAME = ".planner.lock"
PROBE_NAME = ".planner.probe"
_PART_SUFFIX = ".part"
_NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP, errno.EBADF)
_ADVICE = {
    errno.ENOSPC: "free some space on that disk and run again",
    errno.EDQUOT: "free some space within the quota and run again",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f) and run again",
    errno.EROFS: "that file system is read-only; choose another outputs folder",
    errno.EACCES: "give this user write access or choose another outputs folder",
    errno.EPERM: "give this user write access or choose another outputs folder",
    errno.ENOTDIR: "a file is in the way of the folder; move it",
    errno.EEXIST: "a file is in the way of the folder; move it",
}


def write_atomically(path: Path, write: Callable[[BinaryIO], None]) -> None:
    """Replace a file in one step, or leave it as it was.

    Parameters
    ----------
    path
        The file; its folder must exist.
    write
        Writes the new content to the open file that it is given.

    Raises
    ------
    PlanStorageError
        If the disk refuses; the unfinished file is removed. What ``write`` raises
        besides OSError passes through, with the same promise.
    """
    with _explained(path):
        _remove_leftovers(path)
        part, descriptor = _create_part(path)
        try:
            with os.fdopen(descriptor, "wb") as file:
                write(file)
                file.flush()
                os.fsync(file.fileno())
                # still open, hence locked: no one takes it for a leftover
                part.replace(path)
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)


def probe(folder: Path) -> None:
    """Make a folder if need be and prove that files can be written there.

    Raises
    ------
    PlanStorageError
        If the folder cannot be made or written; says what to do.
    """
    with _explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    probed = folder / PROBE_NAME  # always the same: the next one removes it
    try:
        write_atomically(probed, lambda file: _discard(file.write(b"planner\n")))
    finally:
        with suppress(OSError):
            probed.unlink(missing_ok=True)


@contextmanager
def exclusive_lock(folder: Path) -> Iterator[None]:
    """Hold an outputs folder alone; the kernel frees it when the holder dies.

    The lock file stays behind on purpose: removing it would let two planners lock
    two files of one name.

    Raises
    ------
    LockHeldError
        If another process holds it.
    PlanStorageError
        If the lock file cannot be made.
    """
    path = folder / LOCK_NAME
    with _explained(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        _take(descriptor, path)
        yield
    finally:
        os.close(descriptor)


def _take(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        raise LockHeldError(
            f"{path.parent}: another planner works here (process {holder or '?'}); "
            "wait for it to finish"
        ) from None
    except OSError as error:
        raise _storage_error(path, error) from error
    with suppress(OSError):  # the number only helps people; the lock is held
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)


def _create_part(path: Path) -> tuple[Path, int]:
    """New hidden file beside the target, locked as long as it is open."""
    while True:
        part = path.with_name(f".{path.name}.{secrets.token_hex(8)}{_PART_SUFFIX}")
        descriptor = os.open(
            part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666
        )
        try:
            with suppress(OSError):  # some file systems know no locks
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            if _is_still(part, descriptor):
                return part, descriptor
        except BaseException:
            with suppress(OSError):
                part.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        os.close(descriptor)


def _is_still(part: Path, descriptor: int) -> bool:
    """Whether a name still means this open file, and no cleaner removed it."""
    try:
        return os.path.samestat(part.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_leftovers(path: Path) -> None:
    """Remove unfinished files of writers that died; living ones hold a lock."""
    prefix = f".{path.name}."
    for leftover in path.parent.iterdir():
        name = leftover.name
        if not (name.startswith(prefix) and name.endswith(_PART_SUFFIX)):
            continue
        with suppress(OSError), leftover.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the file system can."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _NO_FOLDER_SYNC:
            raise
    finally:
        os.close(descriptor)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _storage_error(path, error) from error


def _storage_error(path: Path, error: OSError) -> PlanStorageError:
    reason = os.strerror(error.errno) if error.errno else str(error)
    advice = _ADVICE.get(error.errno or 0, "check that disk and run again")
    return PlanStorageError(f"{path}: cannot be written: {reason}; {advice}")


def _discard(_: int) -> None:
    """Turn what ``write`` returns into the None that a writer returns."""

"""Files read whole, once, within a bound, and only when nobody was writing them."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from inputs.findings import Unreadable

SETTLE_S = 0.02
"""A file must look the same twice, so far apart: longer than the coarsest time
stamps of usual file systems, so that two writes never share one. [s]"""

_ROUNDS = 5
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The bytes that are parsed, and their digest."""

    data: bytes
    sha256: str


def read_settled(
    files: Sequence[tuple[Path, int]],
) -> list[Content | Unreadable]:
    """Bytes of several files, each old or new as a whole, never a mix.

    All files are read, then looked at again after ``SETTLE_S``; those that changed
    meanwhile are read anew, a few times, and refused if they never come to rest.

    Parameters
    ----------
    files
        Path of each file and the most bytes accepted from it.

    Returns
    -------
    list
        For each file its content, or why it cannot be had.
    """
    results: list[Content | Unreadable] = [_UNSETTLED] * len(files)
    waiting = list(range(len(files)))
    for _ in range(_ROUNDS):
        sightings = {i: _sighting(*files[i]) for i in waiting}
        if any(isinstance(seen, _Sighting) for seen in sightings.values()):
            time.sleep(SETTLE_S)
        unsettled = []
        for i, seen in sightings.items():
            if isinstance(seen, Unreadable):
                results[i] = seen
            elif _same_again(files[i][0], seen):
                results[i] = seen.content
            else:
                unsettled.append(i)
        waiting = unsettled
        if not waiting:
            break
    return results


def read_one(path: Path, limit: int) -> Content:
    """Bytes of one file; see ``read_settled``.

    Raises
    ------
    Unreadable
        If it cannot be had.
    """
    (content,) = read_settled([(path, limit)])
    if isinstance(content, Unreadable):
        raise content
    return content


_UNSETTLED = Unreadable(
    "a file that nobody is writing", "write to another name, then rename"
)

_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class _Sighting:
    content: Content
    stamp: _Stamp


def _sighting(path: Path, limit: int) -> _Sighting | Unreadable:
    try:
        # Without O_NONBLOCK, opening a pipe would wait for its writer for ever.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:  # noqa: PTH123
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                return Unreadable("a regular file", found="another kind of file")
            if status.st_size > limit:
                return _too_long(limit)
            data = file.read(limit + 1)
    except FileNotFoundError:
        return Unreadable("a file that can be read", found="no such file")
    except OSError as error:
        why = "a fault" if error.strerror is None else error.strerror.lower()
        return Unreadable("a file that can be read", found=why)
    if len(data) > limit:
        return _too_long(limit)
    digest = hashlib.sha256(data).hexdigest()
    return _Sighting(Content(data=data, sha256=digest), _stamp(status))


def _same_again(path: Path, seen: _Sighting) -> bool:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            if _stamp(os.fstat(file.fileno())) != seen.stamp:
                return False
            for chunk in _chunks(file):
                digest.update(chunk)
            after = _stamp(os.fstat(file.fileno()))
    except OSError:
        return False
    return after == seen.stamp and digest.hexdigest() == seen.content.sha256


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


def _stamp(status: os.stat_result) -> _Stamp:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _too_long(limit: int) -> Unreadable:
    return Unreadable(f"at most {limit >> 20:,} MiB", found="a longer file")

"""Clients of services by other people's libraries, lent to one call at a time.

Not every library says whether threads may share a client. Making one takes long, so
those that are free are kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, TypeVar

from planner.executor.errors import RejectedError

S = TypeVar("S")


class Clients(Generic[S]):
    """Free clients of every place.

    Parameters
    ----------
    make
        Makes a client for some settings.
    place_of
        What tells settings with the same clients from others.
    """

    def __init__(
        self, make: Callable[[S], Any], *, place_of: Callable[[S], object]
    ) -> None:
        self._make = make
        self._place_of = place_of
        self._free: defaultdict[object, list[Any]] = defaultdict(list)

    @contextmanager
    def lent(self, settings: S) -> Iterator[Any]:
        """Have a client for some settings to oneself.

        One whose call came to nothing is not lent again: it may still be at work.
        """
        free = self._free[self._place_of(settings)]
        try:
            client = free.pop()
        except IndexError:
            client = self._make(settings)
        try:
            yield client
        except RejectedError:
            free.append(client)
            raise
        free.append(client)

"""Asking every place to which a key may have been sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from planner.executor.backends.backend import Phase, Report
from planner.executor.errors import BackendError

T = TypeVar("T")


def first_known(places: Iterable[T], ask: Callable[[T], Report]) -> Report:
    """The first report about a key that some place knows; absent if all deny it.

    Raises
    ------
    BackendError
        If no place knows it and one of them could not tell.
    """
    silent: BackendError | None = None
    for place in places:
        try:
            report = ask(place)
        except BackendError as error:
            silent = error
            continue
        if report.phase is not Phase.ABSENT:
            return report
    if silent is not None:
        raise silent
    return Report(phase=Phase.ABSENT)

"""Asking every place to which a key may have been sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Protocol, TypeVar

from planner.executor.backends.backend import Phase, Report
from planner.executor.backends.settings import Regional
from planner.executor.errors import BackendError

T = TypeVar("T")


class Settling(Protocol):
    """Settings that say how long a key may stay unseen after a sending."""

    @property
    def settle_s(self) -> float:
        """Seconds after a sending."""
        ...


S = TypeVar("S", bound=Settling)


def longest_settle(settings: Regional[S]) -> timedelta:
    """The longest that any region asks for."""
    places = [settings.base, *settings.regions.values()]
    seconds = [place.settle_s for place in places if place is not None]
    return timedelta(seconds=max(seconds, default=0.0))


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

"""Services in which a key is an id: it exists once in its place, and is found by it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from planner.executor.backends.backend import Phase, Report
from planner.executor.errors import BackendError, RejectedError, UncertainError

T = TypeVar("T")
ENDED = frozenset({Phase.DONE, Phase.FAILED, Phase.CANCELLED})


class Clash:
    """Whether something of the same id was there before."""

    is_there = False


def taken_over(
    get: Callable[[], T | None], is_ours: Callable[[T], bool], *, kind: str, name: str
) -> T:
    """What stands under an order's id, if it is that order.

    Parameters
    ----------
    get
        Asks the service; None if there surely is nothing of the id.
    is_ours
        Whether what is there was made of the order.
    kind, name
        What the service calls such a thing, and this one.

    Raises
    ------
    RejectedError
        If it is something else.
    UncertainError
        If that cannot be told.
    """
    try:
        found = get()
    except BackendError as error:
        raise UncertainError(
            f"a {kind} of its id exists, but cannot be looked at: {error}"
        ) from error
    if found is None:
        raise UncertainError(f"a {kind} of its id exists, and then does not")
    if not is_ours(found):
        raise RejectedError(f"{name} exists and is not this order")
    return found


def ended_where_known(
    places: Iterable[T], ask: Callable[[T], Report], end: Callable[[T], Report]
) -> Report:
    """End a run in the one place that knows it, unless it has ended by itself.

    Parameters
    ----------
    places
        Everywhere that it may be.
    ask
        How it stands in one of them.
    end
        Ends it there; how it stands then.
    """
    for place in places:
        report = ask(place)
        if report.phase is not Phase.ABSENT:
            return report if report.phase in ENDED else end(place)
    return Report(phase=Phase.ABSENT)

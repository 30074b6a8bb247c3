"""What an HTTP status says about an order that was sent with the request."""

from __future__ import annotations

from planner.executor.errors import (
    BackendError,
    NotTakenError,
    RejectedError,
    UncertainError,
)

MISREAD = (AttributeError, LookupError, RecursionError, TypeError, ValueError)
"""What client libraries raise over an answer of a shape that they did not expect."""

_LATER = frozenset({401, 403, 429})
"""Credentials may be mended, and a rush passes."""

_TIMED_OUT = frozenset({408, 499})


def error_for(status: int | None, said: str) -> BackendError:
    """Error for an answer that is not a good one.

    From 400 to 499 the service has looked at the request and turned it down. Any
    other status may hide that something behind it had taken the order: 5xx may come
    from a proxy, and a redirect may follow upon a success.
    """
    if status in _LATER:
        return NotTakenError(said)
    if status is not None and 400 <= status < 500 and status not in _TIMED_OUT:
        return RejectedError(said)
    return UncertainError(said)

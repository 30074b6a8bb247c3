"""Calls of other people's clients that end at a deadline, whatever happens.

Time limits of sockets bound the wait for the next byte, so a service that sends one
byte now and then never meets them, and looking up a name has no limit at all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLimits:
    """How long a service may take.

    Parameters
    ----------
    connect_s
        Until there is a connection. [s]
    silent_s
        From one byte to the next. [s]
    total_s
        From looking up the name to the last byte. [s]
    """

    connect_s: float = 5.0
    silent_s: float = 15.0
    total_s: float = 30.0


def within(seconds: float, call: Callable[[], T]) -> T:
    """Result of a call, or its exception, if either comes in time.

    A call that is too late goes on in its thread until its own limits end it; what
    it may still send is why a back end's ``settle`` is much longer than a deadline.

    Raises
    ------
    TimeoutError
        If the call has not ended after ``seconds``.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(call())
        except BaseException as error:
            future.set_exception(error)

    threading.Thread(target=run, name="backend-call", daemon=True).start()
    return future.result(timeout=seconds)

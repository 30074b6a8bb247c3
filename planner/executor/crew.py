"""Calls to back ends, several side by side where a back end can take them.

What goes over a network costs its way there and back. One after another, a thousand
orders of one minute would take many minutes; side by side they take seconds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import Generic, Self, TypeAlias, TypeVar

from planner.executor.backends.backend import Backend
from planner.executor.errors import BackendError, RejectedError

T = TypeVar("T")
Place: TypeAlias = tuple[str, str]
"""Name of a back end, and a region."""
Then: TypeAlias = Callable[[T | BackendError], None]
"""What is done with an answer."""


class Crew(Generic[T]):
    """Makes calls, and gives each answer to whoever asked, in the asker's own thread.

    Only calls leave that thread, and only where a back end takes more than one
    ``at_once``: ledgers and all else need no locks. The first call about a place goes
    alone, and so does each one after a call that came to nothing (an error that is no
    refusal, or None, as ``Patience`` has it): one that is down costs a few calls, not a
    crowd of them.

    Parameters
    ----------
    backends
        By the names that plans use.
    """

    def __init__(self, backends: Mapping[str, Backend]) -> None:
        self._backends = backends
        self._pool: ThreadPoolExecutor | None = None
        self._answers: SimpleQueue[tuple[Place, Then[T], Future[T]]] = SimpleQueue()
        self._under_way = Counter[Place]()
        self._in_vain = Counter[Place]()
        self._reached: set[Place] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            while error is None and self._under_way.total():
                self._take_answer()
        finally:
            # Whatever the reason for leaving, nothing is being sent afterwards.
            if self._pool is not None:
                self._pool.shutdown()

    def in_vain(self, place: Place) -> int:
        """How many calls about a place came to nothing, one after another."""
        return self._in_vain[place]

    def make_room(self, place: Place) -> None:
        """Wait until one more call about a place may be made; deal with answers."""
        while not (self._answers.empty() and self._has_room(place)):
            self._take_answer()

    def call(self, place: Place, call: Callable[[], T], then: Then[T]) -> None:
        """Make a call, for which there must be room.

        Parameters
        ----------
        then
            Given what came of it, at the latest when the crew is left.
        """
        if self._backends[place[0]].at_once == 1:
            self._deal(place, call, then)
            return
        self._under_way[place] += 1
        future = self._workers().submit(call)
        future.add_done_callback(
            lambda answer: self._answers.put((place, then, answer))
        )

    def _has_room(self, place: Place) -> bool:
        name = place[0]
        calls = sum(n for (other, _), n in self._under_way.items() if other == name)
        if calls >= self._backends[name].at_once:
            return False
        well = place in self._reached and not self._in_vain[place]
        return well or not self._under_way[place]

    def _take_answer(self) -> None:
        place, then, answer = self._answers.get()
        self._under_way[place] -= 1
        self._deal(place, answer.result, then)

    def _deal(self, place: Place, call: Callable[[], T], then: Then[T]) -> None:
        answer: T | BackendError
        try:
            answer = call()
        except BackendError as error:
            answer = error
        if answer is None or (
            isinstance(answer, BackendError) and not isinstance(answer, RejectedError)
        ):
            self._in_vain[place] += 1
        else:
            self._in_vain[place] = 0
            self._reached.add(place)
        then(answer)

    def _workers(self) -> ThreadPoolExecutor:
        if self._pool is None:
            most = sum(backend.at_once for backend in self._backends.values())
            self._pool = ThreadPoolExecutor(most, thread_name_prefix="crew")
        return self._pool

"""Threads that share one pass over the jobs, with the same result for any number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")

_LEAST_CHUNK = 8_192
_MOST_CHUNKS = 64


class Crew:
    """Runs one function on fixed chunks of the jobs.

    The chunks depend on the number of jobs alone and results come back in their
    order, so sums do not depend on the number of threads or on who was faster.
    """

    def __init__(self, pool: ThreadPoolExecutor | None) -> None:
        self._pool = pool

    def run(self, work: Callable[[int, int], Result], n_jobs: int) -> list[Result]:
        """Results of ``work(lo, hi)`` for every chunk, in order."""
        bounds = chunks(n_jobs)
        if self._pool is None or len(bounds) == 1:
            return [work(lo, hi) for lo, hi in bounds]
        return list(self._pool.map(lambda ends: work(*ends), bounds))

    def each(self, tasks: Sequence[Callable[[], Result]]) -> list[Result]:
        """Results of some tasks, run side by side where there are threads."""
        if self._pool is None:
            return [task() for task in tasks]
        return list(self._pool.map(lambda task: task(), tasks))


@contextmanager
def crew(threads: int) -> Iterator[Crew]:
    """Crew of a number of threads; one thread means the caller's own."""
    if threads <= 1:
        yield Crew(None)
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="price") as pool:
        yield Crew(pool)


def chunks(n_jobs: int) -> list[tuple[int, int]]:
    """Ends of the chunks that a number of jobs is cut into."""
    size = max(_LEAST_CHUNK, -(-n_jobs // _MOST_CHUNKS))
    return [(lo, min(lo + size, n_jobs)) for lo in range(0, n_jobs, size)] or [(0, 0)]

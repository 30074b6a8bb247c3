"""Calls to back ends side by side, as many as each one takes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from planner.executor.crew import Crew
from planner.executor.errors import BackendError, NotTakenError, RejectedError
from tests.factories_executor import FakeBackend

PLACE, ELSEWHERE = ("fake", "north"), ("fake", "south")
WAIT_S = 20.0


def crew_of(at_once: int) -> Crew[int]:
    return Crew[int]({"fake": FakeBackend(at_once=at_once)})


def number(n: int) -> int:
    return n


def failing(error: BackendError) -> int:
    raise error


def ignore(answer: int | BackendError) -> None:
    """Some answers are of no interest."""


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Calls wait for it; opened at the end whatever happens."""
    gate = threading.Event()
    yield gate
    gate.set()


def held(gate: threading.Event, begun: Callable[[], object]) -> int:
    begun()
    assert gate.wait(WAIT_S)
    return 0


def test_a_back_end_for_one_caller_is_called_by_the_thread_that_asks() -> None:
    threads: list[int] = []
    answers: list[int | BackendError] = []
    with crew_of(1) as crew:
        for n in range(3):
            crew.make_room(PLACE)
            crew.call(PLACE, partial(number, n), answers.append)
            crew.call(
                PLACE,
                lambda: threads.append(threading.get_ident()) or 0,  # type: ignore[func-returns-value]
                ignore,
            )
            assert answers == list(range(n + 1))
    assert set(threads) == {threading.get_ident()}


def test_after_the_first_answer_as_many_are_under_way_as_it_takes() -> None:
    together = threading.Barrier(4)

    def meet() -> int:
        return together.wait(WAIT_S)

    answers: list[int | BackendError] = []
    with crew_of(4) as crew:
        crew.make_room(PLACE)
        crew.call(PLACE, partial(number, -1), answers.append)
        for _ in range(8):
            crew.make_room(PLACE)
            crew.call(PLACE, meet, answers.append)
    assert answers[0] == -1
    assert sorted(answers[1:]) == [0, 0, 1, 1, 2, 2, 3, 3]  # type: ignore[type-var]


def test_never_more_are_under_way_than_it_takes_in_all_regions_together(
    gate: threading.Event,
) -> None:
    begun = threading.Semaphore(0)
    crew = crew_of(2)
    with crew:
        for place in (PLACE, ELSEWHERE):
            crew.call(place, partial(number, 1), ignore)
            crew.make_room(place)
        for place in (PLACE, ELSEWHERE):
            crew.call(place, partial(held, gate, begun.release), ignore)
            assert begun.acquire(timeout=WAIT_S)
        ended = threading.Timer(0.05, gate.set)
        ended.start()
        crew.make_room(PLACE)
        assert gate.is_set()
        ended.join()


def test_first_calls_about_many_regions_are_no_more_than_it_takes_either(
    gate: threading.Event,
) -> None:
    with crew_of(2) as crew:
        for place in (PLACE, ELSEWHERE):
            crew.make_room(place)
            crew.call(place, partial(held, gate, bool), ignore)
        ended = threading.Timer(0.05, gate.set)
        ended.start()
        crew.make_room(("fake", "west"))
        assert gate.is_set()
        ended.join()


def test_the_first_call_goes_alone_and_so_does_one_after_a_failure() -> None:
    under_way, most = [0], [0]
    lock = threading.Lock()

    def fail() -> int:
        with lock:
            under_way[0] += 1
            most[0] = max(most[0], under_way[0])
        threading.Event().wait(0.002)
        with lock:
            under_way[0] -= 1
        raise NotTakenError("down")

    with crew_of(8) as crew:
        for n in range(6):
            crew.make_room(PLACE)
            assert crew.in_vain(PLACE) == n
            crew.call(PLACE, fail, ignore)
    assert crew.in_vain(PLACE) == 6
    assert most == [1]


def test_a_refusal_is_an_answer_and_ends_a_row_of_failures() -> None:
    with crew_of(1) as crew:
        crew.call(PLACE, partial(failing, NotTakenError("busy")), ignore)
        assert (crew.in_vain(PLACE), crew.in_vain(ELSEWHERE)) == (1, 0)
        crew.call(PLACE, partial(failing, RejectedError("bad")), ignore)
        assert crew.in_vain(PLACE) == 0


def test_answers_are_dealt_with_in_the_thread_that_asks_and_all_of_them() -> None:
    threads = set()
    answers: list[int | BackendError] = []

    def then(answer: int | BackendError) -> None:
        threads.add(threading.get_ident())
        answers.append(answer)

    with crew_of(4) as crew:
        for n in range(20):
            crew.make_room(PLACE)
            crew.call(PLACE, partial(number, n), then)
    assert sorted(answers) == list(range(20))  # type: ignore[type-var]
    assert threads == {threading.get_ident()}


def test_when_the_caller_fails_nothing_is_under_way_afterwards() -> None:
    ended = threading.Event()

    def slow() -> int:
        threading.Event().wait(0.05)
        ended.set()
        return 0

    def interrupted() -> None:
        with crew_of(4) as crew:
            crew.call(PLACE, slow, ignore)
            raise KeyError

    with pytest.raises(KeyError):
        interrupted()
    assert ended.is_set()


def test_a_fault_of_our_own_in_a_call_is_raised_and_not_taken_for_an_answer() -> None:
    answers: list[int | BackendError] = []

    def wrong() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), crew_of(4) as crew:
        crew.call(PLACE, wrong, answers.append)
    assert answers == []

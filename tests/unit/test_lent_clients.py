"""Clients of other people's libraries, each lent to one call at a time."""

from __future__ import annotations

import itertools

import pytest

from planner.executor.backends.clients import Clients
from planner.executor.errors import BackendError, RejectedError, UncertainError


@pytest.fixture
def clients() -> Clients[str]:
    """Numbered as they are made; settings that begin alike share them."""
    numbers = itertools.count()
    return Clients(lambda settings: next(numbers), place_of=lambda text: text[0])


def lent(
    clients: Clients[str], settings: str = "a", error: Exception | None = None
) -> int:
    """Number of the client that one call had."""
    with clients.lent(settings) as client:
        number: int = client
        if error is not None:
            raise error
    return number


def test_a_free_client_of_the_same_place_is_lent_again(clients: Clients[str]) -> None:
    assert [lent(clients, name) for name in ("a1", "a2", "b", "a1", "b")] == [
        *(0, 0, 1, 0, 1)
    ]


def test_two_calls_at_the_same_time_never_share_one(clients: Clients[str]) -> None:
    with clients.lent("a") as one:
        assert lent(clients) != one
    assert {lent(clients), lent(clients)} <= {0, 1}


@pytest.mark.parametrize(
    ("error", "kept"),
    [(RejectedError("no"), True), (UncertainError("late"), False), (OSError(), False)],
)
def test_one_whose_call_was_given_up_is_not_lent_again(
    clients: Clients[str], error: Exception, kept: bool
) -> None:
    with pytest.raises(type(error)):
        lent(clients, error=error)
    assert (lent(clients) == 0) is kept


def test_a_client_that_cannot_be_made_is_told_to_the_caller() -> None:
    def refuse(settings: str) -> int:
        raise BackendError("no key")

    with pytest.raises(BackendError, match="no key"):
        lent(Clients(refuse, place_of=len))

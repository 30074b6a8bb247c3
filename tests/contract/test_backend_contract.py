"""One suite for all back ends: what they promise the executor."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from planner.executor.backends.backend import Backend, Order, Phase, Report
from planner.executor.errors import BackendError, RejectedError
from tests.factories_executor import until
from tests.factories_orders import order_of
from tests.far_sides import FAR_SIDES, FarSide

OPEN = (Phase.WAITING, Phase.RUNNING)


@pytest.fixture(params=FAR_SIDES)
def side(request: pytest.FixtureRequest, tmp_path: Path) -> FarSide:
    return FAR_SIDES[request.param](request, tmp_path)


def taken(side: FarSide, order: Order) -> Report:
    """Sent and running."""
    report = side.backend().submit(order)
    side.begin(order)
    return report


def ended(side: FarSide, order: Order) -> Report:
    backend = side.backend()
    still = (*OPEN, Phase.ABSENT)
    until(lambda: backend.look_up(order.key).phase not in still, seconds=40, pause=0.05)
    return backend.look_up(order.key)


def test_it_states_its_facts(side: FarSide, request: pytest.FixtureRequest) -> None:
    backend = side.backend()
    assert request.node.callspec.params["side"].split("-")[0] == backend.name
    assert timedelta(0) <= backend.settle < timedelta(minutes=10)
    assert isinstance(backend.refuses_repeats, bool)
    assert 1 <= backend.at_once <= 64


def test_a_key_that_was_never_sent_is_absent_to_every_verb(side: FarSide) -> None:
    backend, key = side.backend(), side.order().key
    assert backend.look_up(key).phase is Phase.ABSENT
    assert backend.status(key, None).phase is Phase.ABSENT
    closed = backend.cancel(key, None).phase
    assert closed in (Phase.ABSENT, Phase.CANCELLED)
    assert backend.look_up(key).phase is closed


def test_what_was_sent_is_found_by_its_key_from_another_process(side: FarSide) -> None:
    order = side.order()
    report = taken(side, order)
    assert report.phase in OPEN
    assert report.handle
    for found in (
        side.backend().look_up(order.key),
        side.backend().status(order.key, report.handle),
        side.backend().status(order.key, None),
    ):
        assert found.phase is Phase.RUNNING
        assert found.exit_code is None
    side.end(order)
    assert ended(side, order).phase is Phase.DONE


@pytest.mark.parametrize("exit_code", [0, 3])
def test_the_end_is_told_with_exit_status_and_times(
    side: FarSide, exit_code: int
) -> None:
    order = side.order(exit_code=exit_code)
    handle = taken(side, order).handle
    side.end(order)
    report = ended(side, order)
    assert report.phase is (Phase.FAILED if exit_code else Phase.DONE)
    assert report.exit_code == exit_code
    assert (report.reason is None) is (exit_code == 0)
    assert exit_code == 0 or f"exit status {exit_code}" in str(report.reason)
    assert report.started_at is not None
    assert report.ended_at is not None
    assert timedelta(0) <= report.ended_at - report.started_at
    assert side.backend().status(order.key, handle).phase is report.phase
    assert side.backend().cancel(order.key, handle).phase is report.phase


def test_an_order_sent_again_runs_once_while_it_runs_and_after(side: FarSide) -> None:
    order = side.order()
    taken(side, order)
    sent_again(side.backend(), order)
    side.end(order)
    assert ended(side, order).phase is Phase.DONE
    sent_again(side.backend(), order)
    until(lambda: side.backend().look_up(order.key).phase is Phase.DONE, pause=0.05)
    assert side.runs(order) == 1


def test_as_many_calls_at_once_as_it_takes_are_each_about_their_own_order(
    side: FarSide,
) -> None:
    backend = side.backend()
    orders = [side.order() for _ in range(backend.at_once + 1)]
    assert len({order.key for order in orders}) == len(orders)
    with ThreadPoolExecutor(backend.at_once) as callers:
        sent = list(callers.map(backend.submit, orders))
        for order in orders:
            side.begin(order)
        found = list(callers.map(backend.look_up, (order.key for order in orders)))
    assert {report.phase for report in sent} <= set(OPEN)
    assert {report.phase for report in found} == {Phase.RUNNING}
    assert len({report.handle for report in sent}) == len(orders)
    for order in orders:
        side.end(order)
    for order in orders:
        assert ended(side, order).phase is Phase.DONE
        assert side.runs(order) == 1


def sent_again(backend: Backend, order: Order) -> None:
    report = backend.submit(order)
    assert report.phase not in (Phase.ABSENT, Phase.LOST, Phase.FAILED)


def test_a_running_order_that_is_cancelled_ends_as_such(side: FarSide) -> None:
    order = side.order()
    handle = taken(side, order).handle
    assert side.backend().cancel(order.key, handle).phase in (*OPEN, Phase.CANCELLED)
    assert ended(side, order).phase is Phase.CANCELLED


def test_an_order_that_cannot_be_meant_is_rejected_or_fails(side: FarSide) -> None:
    order = order_of("a\0b")
    try:
        side.backend().submit(order)
    except RejectedError:
        assert side.backend().look_up(order.key).phase is Phase.ABSENT
    else:
        assert ended(side, order).phase is Phase.FAILED


def test_while_nothing_answers_no_order_is_called_taken_or_absent(
    side: FarSide,
) -> None:
    order = side.order()
    backend = side.backend()
    with side.unreachable() as expected:
        with pytest.raises(BackendError) as raised:
            backend.submit(order)
        assert type(raised.value) is expected
        with pytest.raises(BackendError):
            backend.look_up(order.key)
    assert backend.look_up(order.key).phase is Phase.ABSENT
    taken(side, order)
    side.end(order)
    assert ended(side, order).phase is Phase.DONE
    assert side.runs(order) == 1


def test_it_says_where_the_output_is(side: FarSide) -> None:
    order = side.order()
    taken(side, order)
    side.end(order)
    report = ended(side, order)
    assert report.phase is Phase.DONE
    said = side.backend().logs(order.key, report.handle)
    assert side.mark(order) in str(said.stdout)

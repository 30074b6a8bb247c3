"""Back ends that answer with silence, and those that have to wait for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from planner.executing import Run
from planner.executor.backends.backend import Phase, Report
from planner.executor.collection import collect, look_up
from planner.executor.errors import BackendError, ElsewhereError
from planner.executor.instants import to_us
from planner.executor.journal import Journal
from planner.executor.patience import MOST_S, Patience
from planner.executor.wishes import Verb, carry_out, pending
from planner.operations.incidents import notes_of
from tests.executor_site import Site
from tests.factories_executor import FakeBackend, at, plan_of, row

LIMIT_S = MOST_S / 3
"""How long a call waits for an answer that does not come. [s]"""


class Silent(FakeBackend):
    """Never answers for a region, and as quickly as it can for others."""

    def __init__(self, region: str) -> None:
        super().__init__()
        self.region, self.now_s = region, 0.0
        self.asked: list[str] = []

    def look_up(self, key: str) -> Report:
        order = self.orders[key]
        self.asked.append(order.job_id)
        if order.region == self.region:
            self.now_s += LIMIT_S
            raise BackendError("silence")
        return self.reports[key]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    site.backend = Silent("a")
    rows = [row(f"a{n}", region="a") for n in range(9)]
    site.tick(plan_of(*rows, *(row(f"b{n}", region="b") for n in range(9))), "02:00")
    yield site
    site.ledger.close()


def journal_of(site: Site) -> Journal:
    return Journal(ledger=site.ledger, at_us=to_us(at("02:30")), actor="test")


def asked(backend: FakeBackend) -> tuple[int, int]:
    """How many questions about either region there were."""
    assert isinstance(backend, Silent)
    return tuple(sum(job[0] == one for job in backend.asked) for one in "ab")  # type: ignore[return-value]


def patience_of(backend: FakeBackend) -> Patience:
    assert isinstance(backend, Silent)
    return Patience(lambda: backend.now_s)


def test_silence_about_one_region_costs_a_run_no_more_than_a_minute(
    site: Site,
) -> None:
    for n in range(9):
        site.ends(f"b{n}", Phase.DONE, exit_code=0)
    patience = patience_of(site.backend)
    collect(journal_of(site), {"shell": site.backend}, patience=patience)
    assert asked(site.backend) == (3, 9)
    (silence,) = patience.silences
    assert (silence.dispatches, silence.reason) == (9, "silence")
    states = list(site.states().values())
    assert (states.count("sent"), states.count("done")) == (9, 9)


def test_what_is_unknown_is_asked_for_no_longer_either(site: Site) -> None:
    site.ledger.execute("update dispatches set state = 'unknown'")
    patience = patience_of(site.backend)
    look_up(journal_of(site), {"shell": site.backend}, patience=patience)
    assert asked(site.backend) == (3, 9)


def test_wishes_that_find_silence_keep_others_waiting_no_longer_either(
    site: Site,
) -> None:
    for n in range(9):
        site.wish(Verb.CANCEL, f"a{n}", "02:10")
    site.wish(Verb.CANCEL, "b0", "02:10")
    patience = patience_of(site.backend)
    carry_out(journal_of(site), {"shell": site.backend}, patience=patience)
    assert asked(site.backend) == (3, 1)
    assert site.states()["b0"] == "cancelled"
    assert len(pending(site.ledger)) == 9


def test_a_refusal_at_once_is_borne_for_every_job(site: Site) -> None:
    collect(journal_of(site), {"shell": site.backend}, patience=Patience(lambda: 0.0))
    assert asked(site.backend) == (9, 9)


def test_a_run_tells_which_back_end_did_not_tell_how_its_runs_stand(
    site: Site,
) -> None:
    tick = site.tick(None, "02:30")
    assert [(s.executor, s.dispatches) for s in tick.silences] == [("shell", 9)]
    run = Run(tick=tick, plan_path=Path("plan"), passed_over=())
    (note,) = notes_of(run)
    assert note.code == "back-end-silent"
    assert "9 of its runs" in note.message


def test_what_only_another_host_can_tell_is_no_silence(site: Site) -> None:
    def ask() -> None:
        raise ElsewhereError("it was sent by another")

    patience = Patience()
    (dispatch, *_) = site.ledger.dispatches("state = 'sent'")
    assert patience.ask(dispatch, ask) is None
    assert patience.silences == ()

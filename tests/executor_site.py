"""A ledger and a fake back end, driven by the clock of the test."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from outputs.plan import Plan
from planner.executor.backends.backend import Phase, Report
from planner.executor.collection import Stop, never
from planner.executor.dispatch import Tick, run_once
from planner.executor.holds import Scope, lift_holds, place_hold
from planner.executor.instants import to_us
from planner.executor.ledger import Ledger
from planner.executor.ledger_server import open_server_ledger
from planner.executor.states import State
from planner.executor.steady import Steady
from planner.executor.verification import verify
from planner.executor.wishes import Verb, make_wish
from tests.factories_executor import DAY, MADE, FakeBackend, at, ledger_in

MEMORY = Path("/dev/shm")
"""Saves the disk many syncs, where there is such a folder."""


@contextmanager
def a_site(url: str | None = None) -> Iterator[Site]:
    """A site in a folder of its own; at the end its ledger must agree with itself.

    Parameters
    ----------
    url
        Of the server that keeps the ledger; None for a file in the folder.
    """
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as name:
        site = Site(Path(name), url)
        yield site
        assert verify(site.ledger) == ()
        site.ledger.close()


class Site:
    """One workspace's executor; each ``tick`` is one run of it."""

    def __init__(self, folder: Path, url: str | None = None) -> None:
        self.folder = folder
        self._url = url
        self.ledger: Ledger = self.opened()
        self.backend = FakeBackend()

    def opened(self) -> Ledger:
        """The ledger once more, as another process would open it."""
        if self._url is None:
            return ledger_in(self.folder)
        return open_server_ledger(self._url, self.folder, now=MADE, site="site")

    def tick(
        self,
        plan: Plan | None,
        when: str | datetime,
        *,
        dry_run: bool = False,
        stop: Stop = never,
        forbidden: Collection[str] = (),
        steady: Steady | None = None,
    ) -> Tick:
        return run_once(
            plan=plan,
            ledger=self.ledger,
            backends={"shell": self.backend},
            now=at(when) if isinstance(when, str) else when,
            actor="test",
            dry_run=dry_run,
            stop=stop,
            forbidden=forbidden,
            steady=steady,
        )

    def states(self) -> dict[str, str]:
        rows = self.ledger.query(
            "select job_id || case attempt when 1 then '' else '#' || attempt end, "
            "state from dispatches order by job_id, attempt"
        )
        return dict(rows)

    def sent(self) -> list[str]:
        """Ids of the jobs that the back end took, in order."""
        return [self.backend.orders[key].job_id for key in self.backend.submitted]

    def reason(self, job_id: str) -> str | None:
        found: list[tuple[str | None]] = self.ledger.query(
            "select reason from dispatches where job_id = ? order by attempt desc",
            job_id,
        )
        return found[0][0]

    def history(self, job_id: str) -> list[tuple[str, str, str, str]]:
        """Actor, state before, state after and detail of each step of a job."""
        return self.ledger.query(
            "select actor, before_state, after_state, detail from history "
            "where job_id = ? order by sequence",
            job_id,
        )

    def ends(self, job_id: str, phase: Phase, **facts: Any) -> None:
        for key, order in self.backend.orders.items():
            if order.job_id == job_id:
                self.backend.reports[key] = Report(phase=phase, **facts)

    def wish(
        self,
        verb: Verb,
        target: str,
        when: str,
        reason: str | None = None,
        *,
        state: State | None = None,
    ) -> int:
        return make_wish(
            self.ledger,
            verb=verb,
            date=DAY.isoformat(),
            target=target,
            at_us=to_us(at(when)),
            actor="anna",
            reason=reason,
            state=state,
        )

    def hold(self, when: str, scope: Scope, target: str = "", **facts: Any) -> bool:
        given = {"date": None, "reason": None, **facts}
        return place_hold(
            self.ledger,
            scope=scope,
            target=target,
            at_us=to_us(at(when)),
            actor="anna",
            **given,
        )

    def release(self, when: str, scope: Scope, target: str = "", **facts: Any) -> int:
        given = {"date": None, "reason": None, **facts}
        lifted = lift_holds(
            self.ledger,
            scope=scope,
            target=target,
            at_us=to_us(at(when)),
            actor="ben",
            **given,
        )
        return len(lifted)

"""The durable record of what was sent and what came of it.

The SQL keeps to what SQLite and PostgreSQL have in common; what only one of them
knows lives in ``planner.executor.store_sqlite`` and ``store_postgres``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from types import TracebackType
from typing import Any, Self

from planner.executor.actors import host_of
from planner.executor.energy import Energy
from planner.executor.errors import LeaseLostError, LedgerDamagedError
from planner.executor.records import Dispatch, FollowedPlan
from planner.executor.states import State, allowed
from planner.executor.steady import Steady, note_clocks
from planner.executor.store import Store

COLUMNS = tuple(field.name for field in fields(Dispatch))
_SELECT = f"select {', '.join(COLUMNS)} from dispatches "
_INSERT = (
    f"insert into dispatches ({', '.join(COLUMNS)}) "
    f"values ({', '.join('?' for _ in COLUMNS)})"
)


class Ledger:
    """An open ledger. Opened by ``planner.executor.ledger_place.open_ledger_at``.

    Every change is one transaction, durable when the method returns, and refused
    when a later executor has taken the lease.

    Parameters
    ----------
    store
        What keeps it, set up and checked.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lease: int | None = None
        sites = self.query("select id from site")
        if len(sites) != 1:
            raise LedgerDamagedError(
                f"{store.name} does not say which site it belongs to; nothing is "
                "sent. Restore it from a copy"
            )
        self.site: str = sites[0][0]

    @property
    def name(self) -> str:
        """Where it is, for messages; without any secret."""
        return self.store.name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of it."""
        self.store.close()

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Rows of one reading statement."""
        return self.store.query(sql, values)

    def execute(self, sql: str, *values: object) -> int:
        """Run one writing statement; the number of rows that it changed."""
        return self.store.execute(sql, values)

    def execute_many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        """Run one writing statement for many rows."""
        self.store.execute_many(sql, rows)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All changes inside, or none; within another transaction, a part of it.

        Raises
        ------
        LeaseLostError
            If a later executor has taken over.
        """
        if self.store.in_transaction:
            yield
            return
        self.store.begin()
        try:
            self._check_lease()
            yield
            self.store.commit()
        finally:
            self.store.rollback()

    def take_lease(
        self, *, holder: str, at_us: int, steady: Steady | None = None
    ) -> int:
        """Become the one that may write; number of the lease, higher than any before.

        Whoever held an earlier lease is refused from now on.

        Parameters
        ----------
        steady
            Time that nobody sets, if it is known.
        """
        self._lease = None
        with self.transaction():
            self.execute(
                "update lease set number = number + 1, holder = ?, taken_us = ?",
                holder,
                at_us,
            )
            note_clocks(self, host=host_of(holder), at_us=at_us, steady=steady)
            self._lease = self.lease_number()
        return self._lease

    def lease_number(self) -> int:
        """Number of the newest lease."""
        number: int = self.query("select number from lease")[0][0]
        return number

    def lease_holder(self) -> str | None:
        """Who took the newest lease."""
        holder: str | None = self.query("select holder from lease")[0][0]
        return holder

    @property
    def current_lease(self) -> int:
        """Lease under which changes are written; 0 for none."""
        return self._lease or 0

    def dispatches(self, where: str, *values: object) -> list[Dispatch]:
        """Dispatches that fulfil a condition, which may order and limit them."""
        found = self.query(_SELECT + "where " + where, *values)
        return [_dispatch(row) for row in found]

    def spec(self, digest: str) -> str:
        """JSON text of all that dispatch needs, as the plan had it."""
        text: str = self.query("select spec from specs where digest = ?", digest)[0][0]
        return text

    def newest_followed(self, day: str) -> FollowedPlan | None:
        """Newest plan of a date that was ever followed, None if none was."""
        found = self.query(
            "select plan_id, serial, created_us from plans where date = ? "
            "order by serial desc, created_us desc limit 1",
            day,
        )
        if not found:
            return None
        plan_id, serial, created_us = found[0]
        return FollowedPlan(plan_id=plan_id, serial=serial, created_us=created_us)

    def add(self, dispatch: Dispatch, *, actor: str, detail: str) -> None:
        """Put in a new dispatch, such as a retry."""
        with self.transaction():
            self.execute(_INSERT, *(getattr(dispatch, name) for name in COLUMNS))
            self._note(dispatch, None, actor=actor, detail=detail)

    def move(
        self,
        dispatch: Dispatch,
        state: State,
        *,
        at_us: int,
        actor: str,
        detail: str | None = None,
        **facts: Any,
    ) -> Dispatch:
        """Take a dispatch from the state in hand to another, and record the step.

        Parameters
        ----------
        dispatch
            As last read; the step is refused if the ledger's state differs.
        state
            Must be allowed by ``planner.executor.states.TRANSITIONS``.
        detail
            Why, for people.
        facts
            Further columns to set.

        Raises
        ------
        LeaseLostError
            If someone else has moved it meanwhile.
        """
        assert allowed(dispatch.state, state), f"{dispatch.state} to {state}"
        after = replace(dispatch, state=state, changed_us=at_us, **facts)
        names = ("state", "changed_us", *facts)
        sets = ", ".join(f"{name} = ?" for name in names)
        with self.transaction():
            changed = self.execute(
                f"update dispatches set {sets} where key = ? and state = ?",
                *(getattr(after, name) for name in names),
                dispatch.key,
                dispatch.state,
            )
            if changed != 1:
                raise LeaseLostError(f"{dispatch.key} was moved by someone else")
            self._note(after, dispatch.state, actor=actor, detail=detail)
        return after

    def keep_energy(self, key: str, energy: Energy, *, at_us: int) -> None:
        """Note the energy of an attempt; the first figure stays."""
        with self.transaction():
            self.execute(
                "insert into energies (key, kwh, label, source, at_plug, units, at_us) "
                "values (?, ?, ?, ?, ?, ?, ?) on conflict (key) do nothing",
                key,
                energy.kwh,
                energy.label,
                energy.source,
                int(energy.at_plug),
                energy.units,
                at_us,
            )

    def _note(
        self,
        dispatch: Dispatch,
        before: State | None,
        *,
        actor: str,
        detail: str | None,
    ) -> None:
        self.execute(
            "insert into transitions (key, at_us, actor, lease, plan_id, "
            "before_state, after_state, detail) values (?, ?, ?, ?, ?, ?, ?, ?)",
            dispatch.key,
            dispatch.changed_us,
            actor,
            self.current_lease,
            dispatch.plan_id,
            before,
            dispatch.state,
            detail,
        )

    def _check_lease(self) -> None:
        if self._lease is not None and self.lease_number() != self._lease:
            raise LeaseLostError(
                f"lease {self._lease} has ended: {self.lease_holder()} holds "
                f"lease {self.lease_number()}"
            )


def _dispatch(row: tuple[Any, ...]) -> Dispatch:
    facts = dict(zip(COLUMNS, row, strict=True))
    return Dispatch(**{**facts, "state": State(facts["state"])})

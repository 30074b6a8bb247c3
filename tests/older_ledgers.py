"""Ledgers as earlier versions of the program left them."""

from __future__ import annotations

from planner.executor.ledger import Ledger
from planner.executor.schema import MIGRATIONS, migrate

_TABLES = (
    *("transitions", "energies", "dependencies", "dispatches", "region_power"),
    *("plans", "specs", "holds", "wishes", "hosts", "clock_jumps", "lease", "site"),
)


def make_older(ledger: Ledger, version: int) -> None:
    """Have a ledger be an empty one of an earlier version, of the same site."""
    store = ledger.store
    with ledger.transaction():
        store.execute("drop view history")
        for table in _TABLES:
            store.execute(f"drop table {table}")
        store.set_version(0)
        migrate(store, MIGRATIONS[:version])
        store.execute("insert into site values (?, 0)", (ledger.site,))

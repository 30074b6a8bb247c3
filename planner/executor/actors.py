"""Who acts, as the ledger names them: ``host:process`` for executors."""

from __future__ import annotations


def host_of(actor: str) -> str:
    """Host of an executor."""
    return actor.rpartition(":")[0] or actor

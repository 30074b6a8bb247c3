"""Two executors of one host that open a ledger for the first time at once."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path, PosixPath

from planner.executor.ledger_file import LEDGER, open_ledger

NOW = datetime(2026, 11, 21, 18, tzinfo=UTC)


class LookedAtTooEarly(PosixPath):
    """A place where another executor makes the ledger just after it was missed."""

    def exists(self) -> bool:
        found = super().exists()
        if self.name == LEDGER and not found:
            open_ledger(Path(self.parent), now=NOW, site="the-other").close()
        return found


def test_a_ledger_made_between_two_looks_is_used_and_not_called_gone(
    tmp_path: Path,
) -> None:
    with open_ledger(LookedAtTooEarly(tmp_path), now=NOW, site="late") as ledger:
        assert ledger.site == "the-other"

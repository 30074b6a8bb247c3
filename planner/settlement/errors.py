"""Why a day cannot be settled."""

from __future__ import annotations

from inputs.errors import PlannerError


class SettlementError(PlannerError):
    """A day cannot be settled: nothing was written."""

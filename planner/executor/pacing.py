"""No burst after an outage: late runs wait until their region has power for them."""

from __future__ import annotations

from planner.executor.ledger import Ledger
from planner.executor.records import Dispatch


class Pacing:
    """Power in use per region against the highest power that plans foresaw. [kW]

    Punctual runs are never held back, the plan made room for them; they count
    before late ones do. What starts later while a late run still goes on is not
    foreseen here.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._used_kw: dict[str, float] = dict(
            ledger.query(
                "select region, sum(power_kw) from dispatches "
                "where state in ('intent', 'sent', 'running') group by region"
            )
        )
        self._peaks_kw: dict[tuple[str, str], float] = {
            (plan_id, region): peak_kw
            for plan_id, region, peak_kw in ledger.query(
                "select plan_id, region, peak_kw from region_power"
            )
        }

    def has_room(self, dispatch: Dispatch) -> bool:
        """Whether a late run fits below its region's planned peak now."""
        peak_kw = self._peaks_kw.get((dispatch.plan_id, dispatch.region), 0.0)
        used_kw = self._used_kw.get(dispatch.region, 0.0)
        # The sum of many powers carries rounding; an idle region takes any one job.
        return used_kw == 0 or used_kw + dispatch.power_kw <= peak_kw * (1 + 1e-9)

    def take(self, dispatch: Dispatch) -> None:
        """Count a run that is being sent."""
        used_kw = self._used_kw.get(dispatch.region, 0.0)
        self._used_kw[dispatch.region] = used_kw + dispatch.power_kw

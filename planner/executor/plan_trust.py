"""Whether a plan file may be followed: whole, signed, of this site and this time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from outputs.errors import PlanCheckError, StalePlanError
from outputs.plan import Plan, PlanMeta
from outputs.plan_file import UNSIGNED, read_plan
from outputs.plan_signature import KeyRing
from planner.executor.plan_limits import broken_limits

_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What a plan must show before it is followed.

    Parameters
    ----------
    keys
        Keys of the site; with none, signatures are not looked at.
    site
        Name of the site, as planner.toml has it; None for an unnamed one.
    """

    keys: KeyRing = UNSIGNED
    site: str | None = None

    def read(self, path: Path, *, now: datetime) -> Plan:
        """A plan that may be followed.

        Raises
        ------
        PlanFormatError
            If the file is not a whole plan of a known version.
        PlanSignatureError
            If keys are set and none of them has signed it.
        StalePlanError
            If it is of another site, or its time is over.
        PlanCheckError
            If its rows break a limit that the file itself tells.
        """
        plan = read_plan(path)
        self.require(plan.meta, now=now)
        problems = broken_limits(plan)
        if problems:
            more = len(problems) - _SHOWN
            shown = "; ".join(problems[:_SHOWN]) + (f"; {more} more" * (more > 0))
            raise PlanCheckError(
                f"{path} breaks limits, nothing of it is sent: {shown}"
            )
        return plan

    def require(self, meta: PlanMeta, *, now: datetime) -> None:
        """Refuse by signature, site and time; the metadata are enough."""
        self.keys.require(meta)
        if meta.site != self.site:
            raise StalePlanError(
                f"plan {meta.plan_id} is of {_named(meta.site)}, this is "
                f"{_named(self.site)}; it is not followed"
            )
        if now >= meta.horizon_end:
            raise StalePlanError(
                f"plan {meta.plan_id} is for {meta.date} and ended at "
                f"{meta.horizon_end:%Y-%m-%dT%H:%M:%SZ}; it is not followed"
            )


def _named(site: str | None) -> str:
    return "an unnamed site" if site is None else f"site {site}"

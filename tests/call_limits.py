"""Short patience where a service hangs; elsewhere the usual one, for busy machines."""

from __future__ import annotations

from planner.executor.backends.deadline import CallLimits
from tests.replay_servers import Fault, drip_body, drip_headers, endless, hang

SHORT = CallLimits(connect_s=1.0, silent_s=1.0, total_s=2.0)
_NEVER_END = (hang, drip_body, drip_headers, endless)


def limits_for(fault: Fault) -> CallLimits | None:
    """Limits of a test with a fault."""
    endless_fault = fault in _NEVER_END or fault.__name__.endswith("without_end")
    return SHORT if endless_fault else None

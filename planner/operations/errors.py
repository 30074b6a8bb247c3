"""Why a site cannot be watched over; none of these keeps a job from being sent.

::

    OperationsError
    ├── MetricsMissingError     the client library of Prometheus is not installed
    ├── MetricsEndpointError    nothing can listen at that address
    └── AlertError              an alert could not be delivered
        └── AlertRefusedError       and trying again would be no use
"""

from __future__ import annotations

from inputs.errors import PlannerError


class OperationsError(PlannerError):
    """Something that only watches cannot do its work."""


class MetricsMissingError(OperationsError):
    """The client library of Prometheus is not installed."""


class MetricsEndpointError(OperationsError):
    """The endpoint's address is taken, or not of this machine."""


class AlertError(OperationsError):
    """An alert could not be delivered; it is tried again later."""


class AlertRefusedError(AlertError):
    """An alert cannot be delivered as it stands; trying again would be no use."""

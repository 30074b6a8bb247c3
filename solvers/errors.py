"""What can fail in a solver; outcomes such as infeasible are statuses instead.

::

    SolverError
    ├── SolverNotInstalledError   an engine's library is missing
    ├── SolverUnknownError        no solver has this name
    ├── EngineError               an engine crashed, hung or ran out of memory
    ├── ModelTooLargeError        a model that would not fit was not built
    ├── SolverCheckError          an engine's answer broke a limit
    └── ScheduleMismatchError     a schedule does not belong to the problem
"""

from __future__ import annotations

from inputs.errors import PlannerError


class SolverError(PlannerError):
    """A solver could not do its work."""


class SolverNotInstalledError(SolverError):
    """The library behind a solver is not installed."""


class SolverUnknownError(SolverError):
    """No solver is registered under this name."""


class EngineError(SolverError):
    """An engine crashed, was killed, hung, or ran out of memory."""


class ModelTooLargeError(SolverError):
    """The exact model of this problem would exceed the documented size."""


class SolverCheckError(SolverError):
    """An engine returned a schedule that breaks a limit."""


class ScheduleMismatchError(SolverError):
    """A schedule names jobs, regions or slots that the problem does not have."""

"""Why a plan cannot be read, written or trusted.

::

    PlanError
    ├── PlanFormatError     not a plan file, damaged, or of a newer version
    ├── PlanCheckError      the plan breaks a limit or states a wrong number
    ├── PlanStorageError    the disk is full, read-only or failing
    ├── LockHeldError       another planner works in the same outputs folder
    └── StalePlanError      a plan for another time, site or serial number
"""

from __future__ import annotations

from inputs.errors import PlannerError


class PlanError(PlannerError):
    """A plan cannot be used."""


class PlanFormatError(PlanError):
    """The file is not a plan, is damaged, or was written by a newer version."""


class PlanCheckError(PlanError):
    """The plan breaks a limit or states a number that does not follow."""


class PlanStorageError(PlanError):
    """The plan could not be written; what was there before is untouched."""


class LockHeldError(PlanError):
    """Another planner works in the same outputs folder."""


class StalePlanError(PlanError):
    """The plan is for another time or site, or older than one already followed."""

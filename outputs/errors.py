"""Why a plan cannot be read, written or trusted.

::

    PlanError
    ├── PlanFormatError     not a plan file, damaged, or of a newer version
    ├── PlanCheckError      the plan breaks a limit or states a wrong number
    ├── PlanSignatureError  not signed by a key of this site, or no usable key
    ├── PlanStorageError    the disk is full, read-only or failing
    ├── LockHeldError       another planner works in the same outputs folder
    ├── StalePlanError      a plan for another time, site or serial number
    └── EvidenceError       not a file of evidence, damaged, or of a newer version
"""

from __future__ import annotations

from inputs.errors import PlannerError


class PlanError(PlannerError):
    """A plan cannot be used."""

    code = "plan"
    """Word for alerts, the same for ever; a subclass has its own."""


class PlanFormatError(PlanError):
    """The file is not a plan, is damaged, or was written by a newer version."""

    code = "plan-format"


class PlanCheckError(PlanError):
    """The plan breaks a limit or states a number that does not follow."""

    code = "plan-limits"


class PlanSignatureError(PlanError):
    """The plan is not signed by a key of this site, or no key is usable."""

    code = "plan-signature"


class PlanStorageError(PlanError):
    """The plan could not be written; what was there before is untouched."""


class LockHeldError(PlanError):
    """Another planner works in the same outputs folder."""


class StalePlanError(PlanError):
    """The plan is for another time or site, or older than one already followed."""

    code = "plan-stale"


class EvidenceError(PlanError):
    """The file of evidence is missing, damaged, or of a newer version."""

"""Why nothing can be sent, or why one sending went wrong.

::

    ExecutionError
    ├── LedgerError             the record of what was sent cannot be trusted
    │   ├── LedgerMissingError      it existed and is gone
    │   ├── LedgerDamagedError      it is not whole, or not this site's
    │   ├── LedgerVersionError      a newer version wrote it
    │   ├── LedgerPlaceError        it lies where it cannot be relied on
    │   ├── LedgerBusyError         another process wrote for too long
    │   ├── LedgerLostError         the connection to its server was lost
    │   └── LedgerConstraintError   rows that its rules do not allow
    ├── LeaseLostError          a later executor has taken over
    ├── ClockError              the clock cannot be believed
    ├── RootError               jobs would run as root, which nobody has allowed
    ├── JobUnknownError         no job is called so
    └── BackendError            one back end's answer to one call
        ├── ElsewhereError          only another host can tell
        ├── RejectedError           surely not taken; sending again is no use
        ├── NotTakenError           surely not taken; may be sent again later
        └── UncertainError          may or may not have been taken
"""

from __future__ import annotations

from inputs.errors import PlannerError


class ExecutionError(PlannerError):
    """A plan cannot be carried out."""


class LedgerError(ExecutionError):
    """The ledger cannot be used, so nothing is sent."""


class LedgerMissingError(LedgerError):
    """A ledger existed here and is gone; an empty one is never put in its place."""


class LedgerDamagedError(LedgerError):
    """The ledger is not whole, older than it was, or belongs to another site."""


class LedgerVersionError(LedgerError):
    """The ledger was written by a newer version of this program."""


class LedgerPlaceError(LedgerError):
    """The ledger lies where its locks and commits cannot be relied on."""


class LedgerBusyError(LedgerError):
    """Another process held the ledger longer than this one may wait."""


class LedgerLostError(LedgerError):
    """The connection was lost; what the server stored decides, at the next opening."""


class LedgerConstraintError(LedgerError):
    """The ledger's own rules do not allow the rows; they were not stored."""


class LeaseLostError(ExecutionError):
    """A later executor has taken over; this one must not act any more."""


class ClockError(ExecutionError):
    """The clock says a time that cannot be, so nothing is due."""


class RootError(ExecutionError):
    """Jobs would run as root, and nobody has said that they may."""


class JobUnknownError(ExecutionError):
    """A user named a job that is neither in the ledger nor in the plan."""


class BackendError(ExecutionError):
    """A back end could not do what it was asked."""


class ElsewhereError(BackendError):
    """A run belongs to another host, which alone can tell how it stands."""


class RejectedError(BackendError):
    """Surely not taken, and the same order would be refused again."""


class NotTakenError(BackendError):
    """Surely not taken, for a reason that may pass (busy, down, slow down)."""


class UncertainError(BackendError):
    """It is not known whether the order was taken."""

"""Exit codes, their meaning, and which failure ends with which."""

from __future__ import annotations

from enum import IntEnum

from inputs.errors import PlannerError


class ExitCode(IntEnum):
    """How a command ended, for cron and scripts."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNPLACED = 3
    NOTHING_PLANNED = 4
    DEGRADED = 5
    JOBS_FAILED = 6
    LOCKED = 7
    INTERRUPTED = 130


def exit_code_of(error: PlannerError) -> ExitCode:
    """Exit code of a failure."""
    from outputs.errors import LockHeldError

    if isinstance(error, LockHeldError):
        return ExitCode.LOCKED
    return ExitCode.REFUSED


def exit_code_of_plan(
    *, jobs: int, placed: int, unplaced: int, degraded: bool
) -> ExitCode:
    """Exit code of a plan that was written.

    Nothing placed at all wins; then the higher of unplaced and degraded.
    """
    if jobs and not placed:
        return ExitCode.NOTHING_PLANNED
    if degraded:
        return ExitCode.DEGRADED
    return ExitCode.UNPLACED if unplaced else ExitCode.DONE

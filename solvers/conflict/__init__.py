"""Explains unplaced jobs: minimal conflicts, and the smallest changes that help."""

from solvers.conflict.answer import Blocked as Blocked
from solvers.conflict.answer import Change as Change
from solvers.conflict.answer import ChangeKind as ChangeKind
from solvers.conflict.answer import Conflict as Conflict
from solvers.conflict.explain import explain_unplaced as explain_unplaced

__all__ = ["Blocked", "Change", "ChangeKind", "Conflict", "explain_unplaced"]

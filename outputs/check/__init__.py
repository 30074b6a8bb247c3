"""The independent check: every limit and every number of a plan, done again.

It reads what users wrote and what the plan says, works on wall-clock time, and
shares no code with solvers or with what made the plan.
"""

from outputs.check.checker import check_plan as check_plan
from outputs.check.violation import Rule as Rule
from outputs.check.violation import Violation as Violation

__all__ = ["Rule", "Violation", "check_plan"]

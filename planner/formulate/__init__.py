"""Jobs and forecasts become a problem, and a schedule becomes plan rows."""

from planner.formulate.formulation import Formulation as Formulation
from planner.formulate.formulation import formulate as formulate

__all__ = ["Formulation", "formulate"]

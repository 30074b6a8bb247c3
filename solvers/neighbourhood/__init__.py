"""Large-neighbourhood search: frees some jobs of a plan for the exact engine."""

from solvers.neighbourhood.solver import Neighbourhood as Neighbourhood

__all__ = ["Neighbourhood"]

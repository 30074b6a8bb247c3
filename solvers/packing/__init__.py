"""Room for every job, on days where finding room is the hard part."""

from solvers.packing.solver import Packing as Packing

__all__ = ["Packing"]

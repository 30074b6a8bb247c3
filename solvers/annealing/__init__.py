"""Improve a plan under a falling temperature, with limits that grow firm."""

from solvers.annealing.solver import Annealing as Annealing

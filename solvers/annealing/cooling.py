"""One run from hot to cold: jobs trade places while the limits grow firm.

Each sweep takes every job out in turn and draws it a new place, with odds that fall
with its true marginal cost over the temperature. Room may be overbooked at first, at
a penalty that rises while the temperature falls: on a full day two jobs can only
trade places if one of them may stand where the other still is.

References
----------
.. [1] Kirkpatrick, S., Gelatt, C. D., Vecchi, M. P. (1983). Optimization by simulated
   annealing. Science 220. doi:10.1126/science.220.4598.671
.. [2] Geman, S., Geman, D. (1984). Stochastic relaxation, Gibbs distributions, and
   the Bayesian restoration of images. IEEE TPAMI 6. doi:10.1109/TPAMI.1984.4767596
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from solvers.compiled import compiled
from solvers.job_columns import JobColumns
from solvers.price.bands import without_prices
from solvers.price.columns import Limits
from solvers.price.marginal import Board, Terms
from solvers.price.plan import Plan
from solvers.price.sweeps import next_random, sweep
from solvers.problem import Int64Array

COLD = 3e-3
"""Temperature at the end of a run, over the mean cost of a job."""

SOFT, FIRM = 1.0, 300.0
"""Penalty of an overbooked unit at first and at last, over what a unit held by the
average job costs."""

_SOFT_SHARE = 0.9
"""Part of a run in which limits may be broken; in the rest they are kept."""

_PIECES = 20
"""Times in a run at which sums are made anew and the clock is read."""

_SETTLING = 20
"""Most sweeps without heat at the end of a run."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Climate:
    """What all runs on a problem share.

    Parameters
    ----------
    jobs, limits
        The problem as the kernels read it.
    mean_cost
        Mean cost of a job, above zero. [objective]
    """

    jobs: JobColumns
    limits: Limits
    mean_cost: float

    def terms(self, softness: float, seed: int) -> Terms:
        """True costs, and a penalty of each overbooked unit."""
        held = (self.jobs.demand * self.jobs.n_slots[:, None]).mean(axis=0)
        unit = softness * self.mean_cost / np.where(held > 0.0, held, np.inf)
        penalty = np.broadcast_to(unit[None, :, None], self.limits.capacity.shape)
        return without_prices(self.limits, seed).terms(0.0, penalty)


def anneal(
    climate: Climate,
    plan: Plan,
    *,
    hot: float,
    sweeps: int,
    seed: int,
    stop: Callable[[], bool],
) -> None:
    """Take a plan through one run; it keeps every limit afterwards.

    Parameters
    ----------
    climate
        Of the plan's problem.
    plan
        Where to begin; the hotter the run, the less of it is left.
    hot
        Temperature at the start, over the mean cost of a job.
    sweeps
        Length of the run.
    seed
        Of order and draws.
    stop
        Asked between pieces; true cools at once.
    """
    soft, firm = climate.terms(SOFT, seed), climate.terms(FIRM, seed)
    order = np.arange(len(climate.jobs.n_slots))
    steps = np.diff(np.linspace(0, sweeps, _PIECES + 1).astype(int))
    fall = (COLD / hot) ** (1.0 / sweeps)
    harden = (FIRM / SOFT) ** (1.0 / max(1.0, _SOFT_SHARE * sweeps))
    heat, done = hot * climate.mean_cost, 0
    for n in steps:
        if stop():
            break
        fit = done >= _SOFT_SHARE * sweeps
        terms = firm if fit else soft
        cool(
            climate.jobs,
            order,
            plan.board,
            terms,
            fit,
            heat,
            fall,
            harden,
            n,
            seed + done,
        )
        heat, done = heat * fall**n, done + int(n)
        plan.recount()
    for n in range(_SETTLING):
        if not plan.sweep(order, firm, fit=True, heat=0.0, seed=n):
            break
    plan.recount()


@compiled
def cool(
    jobs: JobColumns,
    order: Int64Array,
    board: Board,
    terms: Terms,
    fit: bool,
    heat: float,
    fall: float,
    harden: float,
    sweeps: int,
    seed: int,
) -> None:
    """Sweep a few times, with less heat and a higher penalty each time.

    ``order``, ``board`` and the penalty in ``terms.rise`` are changed in place.
    """
    state = np.uint64(seed) * np.uint64(2654435761) + np.uint64(88172645463325252)
    for n in range(sweeps):
        for i in range(len(order) - 1, 0, -1):
            state = next_random(state)
            other = np.int64((state >> np.uint64(33)) % np.uint64(i + 1))
            order[i], order[other] = order[other], order[i]
        sweep(jobs, order, board, terms, fit, heat, seed + n)
        heat *= fall
        if not fit:
            for r in range(terms.rise.shape[0]):
                for k in range(terms.rise.shape[1]):
                    for t in range(terms.rise.shape[2]):
                        terms.rise[r, k, t] *= harden

r"""Costs with rounded kinks, from wide to narrow.

The true cost of a slot bends where load passes the sun, and a full slot has no
price at all; re-placing one job at a time cannot cross such kinks. Both are spread
over a band of relative width :math:`δ` that is laid so that the price *at* the kink
is the dual price: near the best prices, a plan that is the best of the rounded costs
is nearly the best of the true ones. As :math:`δ` falls the bands close.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solvers.price.columns import Limits
from solvers.price.duals import Point
from solvers.price.marginal import Board, Terms
from solvers.price.sweeps import NOISE
from solvers.problem import FloatArray

_CLOSED = 1e-12
"""Width of a closed band, relative to capacity or absolute in kWh."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bands:
    """Maker of the terms of a sweep.

    Parameters
    ----------
    limits
        The shared limits.
    point
        Dual prices to lay the bands around.
    solar_price
        Worth of the day's solar budget, shape (n_regions, n_slots).
    least_penalty
        Penalty of an overbooked unit where capacity has no price, shape
        (n_resources,).
    noise
        Gumbel deviates for the sweeps.
    """

    limits: Limits
    point: Point
    solar_price: FloatArray
    least_penalty: FloatArray
    noise: FloatArray

    def terms(self, width: float, penalty: FloatArray) -> Terms:
        """Terms with bands of a relative width.

        Parameters
        ----------
        width
            Of a band over capacity or sun; 0 for the true, kinked costs.
        penalty
            Objective per overbooked unit, shape (n_regions, n_resources, n_slots).
        """
        limits, open_band = self.limits, width > 0.0
        size = np.abs(limits.capacity)
        span = np.maximum(width * size, _CLOSED * np.maximum(1.0, size))
        before = _share(self.point.capacity, penalty) * open_band
        sunny = np.maximum(limits.solar, limits.solar.mean())
        sun_span = np.maximum(width * sunny, _CLOSED)
        grid = limits.weight - self.solar_price
        sun_before = _share(self.point.energy - self.solar_price, grid) * open_band
        return Terms(
            capacity=limits.capacity,
            edge=limits.capacity - span * before,
            width=span,
            rise=penalty / span,
            sun_price=self.solar_price,
            sun_edge=limits.solar - sun_span * sun_before,
            sun_width=sun_span,
            sun_rise=grid / sun_span,
            metered_hours=limits.metered_hours,
            noise=self.noise,
        )

    def penalty(self, times: float) -> FloatArray:
        """Dual prices of capacity times a factor, at least the least penalty."""
        floor = self.least_penalty[None, :, None]
        penalty: FloatArray = self.point.capacity * times + floor
        return penalty


def without_prices(limits: Limits, seed: int) -> Bands:
    """Bands around no prices: of width 0, they are what a plan costs by itself."""
    shape, cells = limits.capacity.shape, limits.weight.shape
    return Bands(
        limits=limits,
        point=Point(energy=np.zeros(cells), capacity=np.zeros(shape)),
        solar_price=np.zeros(cells),
        least_penalty=np.zeros(shape[1]),
        noise=gumbel_noise(cells[1], seed),
    )


def prices_within(terms: Terms, board: Board) -> Point:
    """Price of the next unit in each slot, as the terms have it."""
    into = np.clip(board.load - terms.sun_edge, 0.0, terms.sun_width)
    taken = np.clip(board.usage - terms.edge, 0.0, terms.width)
    return Point(
        energy=terms.sun_price + terms.sun_rise * into, capacity=terms.rise * taken
    )


def gumbel_noise(n_slots: int, seed: int) -> FloatArray:
    """Deviates for the sweeps, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return rng.gumbel(size=NOISE + n_slots + 1)


def _share(price: FloatArray, highest: FloatArray) -> FloatArray:
    """Price over the highest one, in [0, 1]; 0 where that is not above zero."""
    rising = highest > 0.0
    share = np.divide(price, highest, out=np.zeros(price.shape), where=rising)
    return np.clip(share, 0.0, 1.0)

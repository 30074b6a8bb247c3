"""Ridge regression for each hour of the day, learnt anew every day."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from forecasts.provider import Int64Array
from forecasts.series import FloatArray

HALF_LIFE_DAYS = 60.0
"""Age at which a day counts half as much in the fit."""

PENALTY = 20.0
"""Weight of the penalty, in days of one cell and units of the features' scale."""

POOLED_HOURS = 1.0
"""Distance of hours on the clock that share what they learn. [h]"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Design:
    """A regression for each column and day.

    Parameters
    ----------
    features
        Shape (n_days, n_columns, n_features); NaN where one is not known.
    target
        What is to be explained, shape (n_days, n_columns); NaN where not known.
    learnable
        For each day, how many rows from the top may be learnt from, rising; shape
        (n_days,).
    """

    features: FloatArray
    target: FloatArray
    learnable: Int64Array


def fit_and_predict(design: Design) -> FloatArray:
    """Prediction of every cell from the rows that it may learn from.

    All columns together give one set of weights, and each column's own departs from
    it as far as its data pay for that: with nothing learnt every weight, and so the
    prediction, is zero.

    Returns
    -------
    ndarray, shape (n_days, n_columns)
        NaN where a feature is not known.

    Notes
    -----
    With sums over past days of a column and its neighbours on the clock, weighted
    by age, G = Σ x xᵀ and b = Σ x y, and the same over all columns, G₀ and b₀:

        w₀ = (G₀ + λ I)⁻¹ b₀,    w = w₀ + (G + λ I)⁻¹ (b - G w₀).
    """
    x = np.nan_to_num(design.features)
    usable = np.isfinite(design.features).all(axis=2)
    y = np.nan_to_num(design.target)
    learnt = usable & np.isfinite(design.target)
    n_days, n_columns, n_features = x.shape
    gram = np.zeros((n_columns, n_features, n_features))
    moment = np.zeros((n_columns, n_features))
    reach = round(POOLED_HOURS * n_columns / 24)
    decay = 0.5 ** (1 / HALF_LIFE_DAYS)
    out = np.full((n_days, n_columns), np.nan)
    row = 0
    for day in range(n_days):
        while row < design.learnable[day]:
            seen = x[row] * learnt[row][:, None]
            gram = decay * gram + seen[:, :, None] * seen[:, None, :]
            moment = decay * moment + seen * y[row][:, None]
            row += 1
        weights = _weights(gram, moment, reach)
        out[day] = np.einsum("cf,cf->c", x[day], weights)
    out[~usable] = np.nan
    return out


def _weights(gram: FloatArray, moment: FloatArray, reach: int) -> FloatArray:
    """Weights of each column, shape (n_columns, n_features)."""
    penalty = PENALTY * np.eye(gram.shape[1])
    shared = np.linalg.solve(gram.sum(axis=0) + penalty, moment.sum(axis=0))
    near, near_moment = _pooled(gram, reach), _pooled(moment, reach)
    rest = near_moment - near @ shared
    own = np.linalg.solve(near + penalty, rest[..., None])[..., 0]
    return np.asarray(shared + own, dtype=np.float64)


def _pooled(sums: FloatArray, reach: int) -> FloatArray:
    """Sum of each column and its neighbours; the clock is round."""
    ring = np.concatenate([sums[len(sums) - reach :], sums, sums[:reach]])
    width = 2 * reach + 1
    total = np.zeros((len(ring) + 1, *sums.shape[1:]))
    np.cumsum(ring, axis=0, out=total[1:])
    return np.asarray(total[width:] - total[:-width], dtype=np.float64)

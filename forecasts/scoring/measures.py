"""Measures of forecasts of many days against what came.

Every table has shape (n_days, n_cells): one row for a day, without holes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from forecasts.series import FloatArray

JOB_HOURS = 4.0
"""Work of the job by which forecasts are judged. [h]"""


def mape(actual: FloatArray, forecast: FloatArray) -> float | None:
    """Mean absolute error over what came, where that was not zero; 0.1 is 10 %."""
    counted = actual != 0
    if not counted.any():
        return None
    relative = np.abs(actual - forecast)[counted] / np.abs(actual[counted])
    return float(relative.mean())


def rank_correlation(actual: FloatArray, forecast: FloatArray) -> float | None:
    """Spearman's correlation within each day, mean over days.

    Equal values share their mean rank; days on which either is constant, and which
    therefore have no order, are left out.
    """
    a, f = _ranks(actual), _ranks(forecast)
    a -= a.mean(axis=1, keepdims=True)
    f -= f.mean(axis=1, keepdims=True)
    norm = np.sqrt((a**2).sum(axis=1) * (f**2).sum(axis=1))
    ordered = norm > 0
    if not ordered.any():
        return None
    return float(((a * f).sum(axis=1)[ordered] / norm[ordered]).mean())


def pinball_loss(
    actual: FloatArray, quantiles: Mapping[float, FloatArray]
) -> float | None:
    """Mean over levels, days and cells of max(q·e, (q - 1)·e), e = actual - quantile.

    Cells without a quantile are left out. [unit of the series]
    """
    losses = []
    for level, quantile in quantiles.items():
        error = (actual - quantile)[np.isfinite(quantile)]
        losses.append(np.maximum(level * error, (level - 1) * error))
    together = np.concatenate(losses) if losses else np.empty(0)
    return float(together.mean()) if len(together) else None


def coverage(actual: FloatArray, low: FloatArray, high: FloatArray) -> float | None:
    """Share of cells that came to lie within a band, borders included."""
    stated = np.isfinite(low) & np.isfinite(high)
    if not stated.any():
        return None
    inside = (actual >= low) & (actual <= high)
    return float(inside[stated].mean())


def saving_kept(
    actual: FloatArray, forecast: FloatArray, *, cells: int, interruptible: bool
) -> float | None:
    """Share of the best possible saving that a job keeps when it trusts a forecast.

    Parameters
    ----------
    actual, forecast
        Intensity of each cell. [g/kWh]
    cells
        Length of the job.
    interruptible
        Whether it may run in any cells of the day, or only in consecutive ones.

    Returns
    -------
    float or None
        1 is hindsight, 0 no better than a random time, below 0 worse than that;
        None where no choice could have saved anything. One minus this is the
        regret.

    Notes
    -----
    With A the mean intensity of a day, F that of the cells which are cheapest by the
    forecast (the earliest of equal ones), B that of those which came out cheapest:

        kept = Σ (A - F) / Σ (A - B)    over days.
    """
    choose = _cheapest_cells if interruptible else _cheapest_window
    trusted = np.take_along_axis(actual, choose(forecast, cells), axis=1).mean(axis=1)
    best = np.take_along_axis(actual, choose(actual, cells), axis=1).mean(axis=1)
    mean = actual.mean(axis=1)
    possible = float((mean - best).sum())
    return float((mean - trusted).sum()) / possible if possible > 0 else None


def chosen_over_mean(
    actual: FloatArray, forecast: FloatArray, *, cells: int
) -> FloatArray:
    """Mean of the window that a forecast calls cheapest over that of all cells.

    Parameters
    ----------
    actual, forecast
        Intensity of each cell. [g/kWh]
    cells
        Length of the window, in one piece.

    Returns
    -------
    ndarray, shape (n_days,)
        Below 1 where trusting the forecast saves anything.
    """
    window = _cheapest_window(forecast, cells)
    chosen = np.take_along_axis(actual, window, axis=1).mean(axis=1)
    return np.asarray(chosen / actual.mean(axis=1))


def _cheapest_cells(intensity: FloatArray, cells: int) -> np.ndarray:
    order = np.argsort(intensity, axis=1, kind="stable")
    return order[:, :cells]


def _cheapest_window(intensity: FloatArray, cells: int) -> np.ndarray:
    windows = np.lib.stride_tricks.sliding_window_view(intensity, cells, axis=1)
    first = windows.mean(axis=2).argmin(axis=1)
    return np.asarray(first[:, None] + np.arange(cells))


def _ranks(table: FloatArray) -> FloatArray:
    """Rank of each value in its row; equal ones share the mean of theirs."""
    below = (table[:, None, :] < table[:, :, None]).sum(axis=2)
    equal = (table[:, None, :] == table[:, :, None]).sum(axis=2)
    return np.asarray(below + (equal - 1) / 2, dtype=np.float64)

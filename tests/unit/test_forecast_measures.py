"""Measures of forecasts, against numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from forecasts.scoring.measures import (
    coverage,
    mape,
    pinball_loss,
    rank_correlation,
    saving_kept,
)

CAME = np.array([[4.0, 1.0, 2.0, 9.0], [1.0, 1.0, 5.0, 1.0]])


def test_mape_leaves_out_what_came_to_zero() -> None:
    came = np.array([[100.0, 0.0, 50.0]])
    assert mape(came, np.array([[110.0, 5.0, 40.0]])) == pytest.approx(0.15)
    assert mape(np.zeros((1, 2)), np.ones((1, 2))) is None


def test_rank_correlation_is_the_mean_over_days_and_knows_ties() -> None:
    came = np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [5.0, 5.0, 5.0]])
    said = np.array([[10.0, 20.0, 30.0], [3.0, 2.0, 1.0], [1.0, 2.0, 3.0]])
    assert rank_correlation(came, said) == pytest.approx(0.0)
    tied = np.array([[1.0, 1.0, 2.0]])
    assert rank_correlation(tied, np.array([[1.0, 2.0, 3.0]])) == pytest.approx(
        3**0.5 / 2
    )
    assert rank_correlation(came[2:], said[2:]) is None


def test_pinball_loss_weighs_the_side_of_the_error_by_the_level() -> None:
    came = np.array([[10.0, 10.0]])
    assert pinball_loss(came, {0.9: np.array([[8.0, 14.0]])}) == pytest.approx(
        (0.9 * 2 + 0.1 * 4) / 2
    )
    assert pinball_loss(came, {0.9: np.full((1, 2), np.nan)}) is None


def test_coverage_counts_borders_as_inside_and_skips_unstated_bands() -> None:
    low, high = np.array([[4.0, 2.0, np.nan, 0.0]]), np.array([[5.0, 3.0, 9.0, 9.0]])
    assert coverage(CAME[:1], low, high) == pytest.approx(2 / 3)


def test_saving_kept_in_one_piece() -> None:
    said = np.array([[9.0, 8.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    # day 1: mean 4, trusted hours 2 and 3 -> 5.5, best hours 1 and 2 -> 1.5
    # day 2: mean 2, the earliest of equal hours 0 and 1 -> 1, which is the best
    kept = saving_kept(CAME, said, cells=2, interruptible=False)
    assert kept == pytest.approx((-1.5 + 1) / (2.5 + 1))


def test_saving_kept_with_pauses() -> None:
    said = np.array([[1.0, 2.0, 3.0, 0.0], [2.0, 1.0, 0.0, 1.0]])
    # day 1: hours 3 and 0 -> 6.5, best 1 and 2 -> 1.5
    # day 2: hours 2 and 1 -> 3, best 0 and 1 -> 1
    kept = saving_kept(CAME, said, cells=2, interruptible=True)
    assert kept == pytest.approx((-2.5 - 1) / (2.5 + 1))


@pytest.mark.parametrize("interruptible", [True, False])
def test_hindsight_keeps_all_and_a_flat_day_has_nothing_to_keep(
    interruptible: bool,
) -> None:
    kept = saving_kept(CAME, CAME, cells=2, interruptible=interruptible)
    assert kept == pytest.approx(1.0)
    flat = np.ones((1, 4))
    assert saving_kept(flat, CAME[:1], cells=2, interruptible=interruptible) is None

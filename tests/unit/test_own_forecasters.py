"""What each forecaster of our own says, and how sure it claims to be."""

from __future__ import annotations

import numpy as np
import pytest

from forecasts.own.conformal import quantiles
from forecasts.own.learned import blend, learned
from forecasts.own.ridge import Design, fit_and_predict
from forecasts.own.simple import climatology, last_week, yesterday
from forecasts.scoring.measures import coverage, mape
from tests.factories_past import intensity, past_of


def test_yesterday_and_last_week_repeat_what_was_measured() -> None:
    actual = intensity(15)
    past = past_of(actual)
    assert (yesterday(past)[14] == actual[13]).all()
    assert (last_week(past)[14] == actual[7]).all()


def test_issued_at_noon_yesterday_is_two_days_old_in_the_afternoon() -> None:
    actual = intensity(15)
    said = yesterday(past_of(actual, lead_hours=12))[14]
    assert (said[:12] == actual[13, :12]).all()
    assert (said[12:] == actual[12, 12:]).all()


def test_climatology_weighs_weekends_by_weekends() -> None:
    actual = np.full((28, 24), 300.0)
    actual[np.arange(28) % 7 >= 5] = 100.0
    usual = climatology(past_of(actual))
    saturday, monday = usual[26, 0], usual[21, 0]
    assert saturday < 220 < 240 < monday


def test_climatology_weighs_a_day_of_last_week_twice_one_of_three_weeks_ago() -> None:
    actual = np.full((29, 24), np.nan)
    actual[28 - 7], actual[28 - 21] = 0.0, 300.0
    assert climatology(past_of(actual))[28] == pytest.approx(100.0)


def test_climatology_remembers_the_season_of_a_year_ago() -> None:
    actual = np.full((370, 24), 100.0)
    actual[0:8] = 900.0
    usual = climatology(past_of(actual))[:, 0]
    assert usual[366] > 101
    assert usual[250] == pytest.approx(100, abs=0.1)


def test_ridge_finds_the_weights_of_a_linear_law() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 24, 2))
    target = 3 * features[:, :, 0] - features[:, :, 1]
    learnable = np.arange(400)
    said = fit_and_predict(
        Design(features=features, target=target, learnable=learnable)
    )
    assert said[-1] == pytest.approx(target[-1], rel=0.03, abs=0.03)
    assert (said[0] == 0).all()


def test_ridge_lets_hours_differ() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(400, 24, 1))
    sign = np.where(np.arange(24) < 12, 1.0, -1.0)
    said = fit_and_predict(
        Design(
            features=features,
            target=sign[:, None].T * features[:, :, 0],
            learnable=np.arange(400),
        )
    )
    assert said[-1, 6] == pytest.approx(features[-1, 6, 0], rel=0.15)
    assert said[-1, 18] == pytest.approx(-features[-1, 18, 0], rel=0.15)


def test_ridge_predicts_nothing_where_a_feature_is_missing() -> None:
    features = np.ones((3, 24, 1))
    features[2, 4] = np.nan
    design = Design(features=features, target=features[..., 0], learnable=np.arange(3))
    assert np.flatnonzero(np.isnan(fit_and_predict(design)[2])).tolist() == [4]


def test_learned_beats_yesterday_and_climatology() -> None:
    actual = intensity(150)
    past, late = past_of(actual), slice(60, None)
    errors = {
        forecaster.__name__: mape(actual[late], forecaster(past)[late])
        for forecaster in (learned, yesterday, climatology)
    }
    best = errors.pop("learned")
    assert best is not None
    assert all(other is not None and best < 0.95 * other for other in errors.values())


def test_learned_on_the_second_day_is_yesterday() -> None:
    actual = intensity(2)
    assert learned(past_of(actual))[1] == pytest.approx(actual[0])


def test_weather_that_explains_the_day_is_learnt_from() -> None:
    actual = intensity(120)
    rng = np.random.default_rng(5)
    wind = -(actual - actual.mean()) * 7 + rng.normal(0, 30, actual.shape)
    past, late = past_of(actual), slice(60, None)
    blind = mape(actual[late], learned(past)[late])
    seeing = mape(actual[late], learned(past, weather=[wind])[late])
    assert blind is not None
    assert seeing is not None
    assert seeing < 0.6 * blind


def test_blend_is_the_published_forecast_until_something_is_learnt() -> None:
    actual = intensity(40)
    published = np.full_like(actual, np.nan)
    published[-1] = actual[-1] + 7
    assert (blend(past_of(actual), published)[-1] == published[-1]).all()


def test_blend_takes_away_a_lasting_bias() -> None:
    actual = intensity(80)
    published = actual + 50 + np.random.default_rng(3).normal(0, 5, actual.shape)
    said = blend(past_of(actual), published)
    assert abs((said - actual)[60:].mean()) < 3


@pytest.mark.parametrize("lead_hours", [0, 12])
def test_bands_hold_what_they_promise(lead_hours: float) -> None:
    actual = intensity(260)
    past = past_of(actual, lead_hours=lead_hours)
    bands = quantiles(yesterday(past), past)
    late = slice(80, None)
    for low, high, nominal in ((0.05, 0.95, 0.9), (0.1, 0.9, 0.8)):
        held = coverage(actual[late], bands[low][late], bands[high][late])
        assert held == pytest.approx(nominal, abs=0.03)


def test_bands_widen_again_after_the_grid_has_changed() -> None:
    actual = intensity(200)
    actual[100:] = 300 + 4 * (actual[100:] - 250)
    past = past_of(np.maximum(actual, 1.0))
    bands = quantiles(yesterday(past), past)
    held = coverage(past.actual[120:], bands[0.05][120:], bands[0.95][120:])
    assert held is not None
    assert held > 0.87


@pytest.mark.parametrize(
    ("hours", "widens"), [(slice(0, 12), True), (slice(12, 24), False)]
)
def test_at_noon_the_errors_of_the_morning_count_and_no_others(
    hours: slice, widens: bool
) -> None:
    actual = np.full((42, 24), 300.0)
    actual += np.random.default_rng(0).normal(0, 5, actual.shape)
    wild = actual.copy()
    wild[40, hours] += 200
    flat = np.full_like(actual, 300.0)
    calm_bands, bands = (
        quantiles(flat, past_of(values, lead_hours=12))[0.95][41]
        for values in (actual, wild)
    )
    assert ((bands - 300 > 2 * (calm_bands - 300)).all()) == widens
    assert ((bands == calm_bands).all()) != widens


def test_too_few_errors_give_no_quantiles() -> None:
    past = past_of(intensity(4))
    assert np.isnan(quantiles(yesterday(past), past)[0.9]).all()

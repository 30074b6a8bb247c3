"""What counts as actual: what was said after its hour, covered as a whole."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np

from forecasts.actual import actual_values, slot_means
from forecasts.history import keep_issue
from forecasts.provider import Observations
from forecasts.series import Series, Signal
from inputs.timegrid import day_grid, to_us
from inputs.workspace import load_workspace

GRID = day_grid(date(2026, 11, 22), timezone="UTC", slot_minutes=60, horizon_hours=4)
MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
MINUTE_US = 60_000_000


def minutes(*pairs: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    starts, ends = zip(*pairs, strict=True)
    origin = GRID.start_us
    return (
        np.array(starts) * MINUTE_US + origin,
        np.array(ends) * MINUTE_US + origin,
    )


def test_a_slot_is_the_weighted_mean_of_what_covers_it_whole() -> None:
    starts, ends = minutes((-30, 15), (15, 60), (60, 90), (120, 300))
    means = slot_means(starts, ends, np.array([100.0, 200.0, 7.0, 50.0]), GRID)
    assert means[0] == 0.25 * 100 + 0.75 * 200
    assert np.isnan(means[1])
    assert means[2:].tolist() == [50.0, 50.0]


def test_an_interval_that_reaches_into_the_next_is_cut_there() -> None:
    starts, ends = minutes((0, 120), (60, 120))
    means = slot_means(starts, ends, np.array([10.0, 20.0]), GRID)
    assert means[:2].tolist() == [10.0, 20.0]
    assert np.isnan(means[2:]).all()


def kept(folder: Path, fetched_hour: float, values: list[float]) -> None:
    start = [to_us(MIDNIGHT + timedelta(hours=h)) for h in range(len(values))]
    keep_issue(
        folder,
        Observations(
            series=Series.CARBON,
            place="DE",
            times_us=np.array(start),
            values=np.array(values),
            unit="g/kWh",
            steps_us=np.full(len(values), 60 * MINUTE_US),
            signal=Signal.AVERAGE,
        ),
        provider="energy_charts",
        fetched_at=MIDNIGHT + timedelta(hours=fetched_hour),
    )


def test_of_the_history_only_what_came_after_its_hour_counts(tmp_path: Path) -> None:
    (tmp_path / "planner.toml").write_text(
        '[regions.north]\nzone = "DE"\n[forecasts.carbon]\nprovider = "energy_charts"\n'
    )
    folder = tmp_path / "outputs/forecasts/history/energy_charts/DE"
    kept(folder, -6, [1.0, 2.0, 3.0, 4.0])
    kept(folder, 2, [10.0, 20.0, 30.0, 40.0])
    workspace = load_workspace(tmp_path, environment={})
    found = actual_values(
        workspace,
        workspace.regions[0],
        GRID,
        series=Series.CARBON,
        now=MIDNIGHT + timedelta(hours=30),
        signal=Signal.AVERAGE,
    )
    assert found.source == "history of energy_charts"
    assert found.values[:2].tolist() == [10.0, 20.0]
    assert np.isnan(found.values[2:]).all()


def test_the_other_signal_is_never_taken_for_the_plans_own(tmp_path: Path) -> None:
    (tmp_path / "planner.toml").write_text(
        '[regions.north]\nzone = "DE"\n[forecasts.carbon]\nprovider = "energy_charts"\n'
    )
    kept(tmp_path / "outputs/forecasts/history/energy_charts/DE", 9, [10.0, 20.0])
    workspace = load_workspace(tmp_path, environment={})
    found = actual_values(
        workspace,
        workspace.regions[0],
        GRID,
        series=Series.CARBON,
        now=MIDNIGHT + timedelta(hours=30),
        signal=Signal.MARGINAL,
    )
    assert np.isnan(found.values).all()
    assert "not to be compared" in found.notes[0]

"""What Energy-Charts does in its own way."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from forecasts.energy_charts import parse as parse_energy_charts
from forecasts.errors import ForecastError
from forecasts.provider import Observations
from tests.drivers_live import BY_NAME, Night, asked
from tests.replay_servers import replying, serving
from tests.replay_services import (
    GRID,
    energy_charts,
)

HOUR = timedelta(hours=1)


def test_energy_charts_takes_the_forecast_before_what_was_measured() -> None:
    body = {
        "unix_seconds": [0, 900, 1800, 2700],
        "co2eq": [410.5, 622.0, None, None],
        "co2eq_forecast": [None, 402.0, 398.5, None],
    }
    read: Observations = parse_energy_charts(json.dumps(body).encode(), zone="DE")
    assert read.values.tolist()[:3] == [410.5, 402.0, 398.5]
    assert np.isnan(read.values[3])
    assert (np.diff(read.times_us) == 900_000_000).all()


def test_energy_charts_before_the_evening_has_no_tomorrow(tmp_path: Path) -> None:
    only_today = energy_charts(issued=GRID.start - 30 * HOUR)
    forecast, _ = asked("energy_charts", only_today, tmp_path)
    assert forecast.provider == "typical"
    assert "no forecast for DE at that time" in forecast.notes[0]


def test_energy_charts_series_of_unequal_length_are_refused() -> None:
    body = b'{"unix_seconds": [0, 900], "co2eq": [1.0], "co2eq_forecast": []}'
    with pytest.raises(ForecastError, match="2 times do not fit"):
        parse_energy_charts(body, zone="DE")


def test_energy_charts_short_refusal_is_waited_for(tmp_path: Path) -> None:
    with serving(energy_charts()) as server:
        server.misbehave(replying(429, headers={"retry-after": "6"}))
        night = Night(tmp_path, BY_NAME["energy_charts"], server.url)
        assert not night.carbon().degraded
    assert 6 <= night.waits.slept[0] <= 7

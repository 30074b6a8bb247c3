from __future__ import annotations

import subprocess
import sys

import forecasts


def test_public_names_are_sorted_and_exist() -> None:
    assert forecasts.__all__ == sorted(forecasts.__all__)
    assert all(hasattr(forecasts, name) for name in forecasts.__all__)


def test_public_names_are_these() -> None:
    assert forecasts.__all__ == [
        "Forecast",
        "ForecastError",
        "ForecastSet",
        "Quality",
        "Series",
        "Signal",
        "gather",
    ]


def test_importing_forecasts_loads_no_heavy_library() -> None:
    heavy = "pandas pvlib scipy pyarrow requests ortools"
    loaded = f"[name for name in '{heavy}'.split() if name in sys.modules]"
    code = f"import sys, forecasts; print({loaded})"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"

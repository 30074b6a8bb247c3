"""Clear-sky power corrected by the history of an array, on recorded irradiance.

A flat array of 100 kWp follows measured irradiance; once as it is, once with a
made-up shade and dirt. Every day of 2019 and 2020 but the first 60 is forecast at
its start.
"""

from __future__ import annotations

import argparse
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from forecasts.own.calendar import DAY_US, Calendar, calendar_of
from forecasts.own.conformal import quantiles
from forecasts.own.past import Past
from forecasts.own.site_solar import Site, corrected, solar_timezone
from forecasts.scoring.measures import coverage
from inputs.settings import SolarArray

ARRAY = SolarArray(kwp=100, latitude=34.0, longitude=-118.0, tilt=0, azimuth=180)
KW_PER_W_M2 = 0.0765
AC_LIMIT_KW = 80.0
LATE = slice(60, None)


def main() -> None:
    """Print errors before and after the correction."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="see docs")
    rows = pd.read_parquet(
        parser.parse_args().data / "solar" / "nsrdb_pasadena_2019_2021.parquet"
    )
    calendar = calendar_of(
        date(2019, 1, 1), date(2020, 12, 31),
        timezone=solar_timezone(ARRAY), step_us=DAY_US // 24,
    )  # fmt: skip
    site = Site.of(ARRAY, calendar)
    power = _power_kw(rows, calendar)
    shade = np.where(np.arange(24) < 11, 0.6, 0.95)
    for name, actual in (("as it is", power), ("shaded", power * shade)):
        _report(name, site, actual)


def _power_kw(rows: pd.DataFrame, calendar: Calendar) -> np.ndarray:
    stamps = rows["ts_utc"].dt.tz_convert("UTC").to_numpy("datetime64[us]")
    power = np.minimum(rows["ghi_w_m2"].to_numpy() * KW_PER_W_M2, AC_LIMIT_KW)
    return calendar.table(stamps.astype(np.int64), power)


def _report(name: str, site: Site, actual: np.ndarray) -> None:
    came = site.index(actual)
    starts_us = site.calendar.starts_us
    past = Past(calendar=site.calendar, actual=came, cuts_us=starts_us)
    clear = site.index(site.cells_kw)
    said = corrected(past, clear)
    day = np.isfinite(came[LATE])
    for who, index in (("clear sky", clear), ("corrected", said)):
        error = (np.clip(index, 0, None) * site.cells_kw - actual)[LATE][day]
        print(
            f"{name:<9} {who:<10} MAE {np.abs(error).mean():5.2f} kW, "
            f"RMSE {(error**2).mean() ** 0.5:5.2f} kW, bias {error.mean():+5.2f} kW"
        )
    bands = quantiles(said, past)
    low, high = (bands[level][LATE][day] for level in (0.05, 0.95))
    print(f"{name:<9} 90 % bands hold {coverage(came[LATE][day], low, high):.1%}")


if __name__ == "__main__":
    main()

"""Own and published day-ahead forecasts on recorded grids.

Every day is forecast at its start from what had been measured and published by
then. Constants were chosen on days before those that are reported here; see
docs/forecasters.md.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from forecasts.own.record import UNDATED_US, Record
from forecasts.provider import ForecastRequest
from forecasts.scoring.scores import Period, Score, score
from forecasts.series import Series, Signal
from inputs.settings import Region
from inputs.timegrid import day_grid

FORECASTERS = ("blend of published", "learned", "climatology", "yesterday", "last_week")
NOW = datetime(2030, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Measured values of one grid, what was published of it, and the days to report."""

    name: str
    history: Record
    issues: dict[str, Record] = field(default_factory=dict)
    weather: tuple[Record, ...] = ()
    first: date
    last: date | None = None


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="see docs")
    parser.add_argument("--only", default="", help="grids whose name holds this")
    parser.add_argument("--lead", type=float, default=0.0, help="hours before the day")
    arguments = parser.parse_args()
    lead = timedelta(hours=arguments.lead)
    began = time.perf_counter()
    print("| grid, days | published | blend | learned | climatology | yesterday "
          "| last week | 90 % bands hold |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    held: list[float] = []
    for place in places(arguments.data):
        if arguments.only not in place.name:
            continue
        scores = {s.forecaster: s for s in scored(place, lead)}
        covered = [s.coverage for s in scores.values() if s.coverage is not None]
        held += covered
        print(_row(place, scores, covered), flush=True)
    seconds = time.perf_counter() - began
    print(f"\nall 90 % bands hold {min(held):.1%} to {max(held):.1%}; {seconds:.0f} s")


def scored(place: Place, lead: timedelta) -> tuple[Score, ...]:
    """Scores of one place."""
    request = ForecastRequest(
        series=Series.CARBON,
        region=Region(name=place.name.replace(" ", "-")),
        grid=day_grid(place.first, timezone="UTC", slot_minutes=60),
        now=NOW,
        root=Path(),
    )
    period = Period(first=place.first, last=place.last, lead=lead)
    return score(place.history, place.issues, request, period, weather=place.weather)


def _row(place: Place, scores: dict[str, Score], covered: list[float]) -> str:
    days = next(iter(scores.values())).days
    cells = [f"{place.name}, {days}"]
    for name in ("published", *FORECASTERS):
        got = scores.get(name)
        shown = "" if got is None or got.kept is None else (
            f"{100 * got.kept:.1f} / {100 * (got.kept_interruptible or 0):.1f}"
        )  # fmt: skip
        cells.append(shown)
    cells.append(f"{100 * min(covered):.1f} – {100 * max(covered):.1f} %")
    return f"| {' | '.join(cells)} |"


def places(data: Path) -> Iterator[Place]:
    """Every grid of the folder."""
    carbon = data / "carbon"
    pairs = pd.read_parquet(carbon / "pairs_dayahead_2021h2.parquet")
    for region, rows in pairs.groupby("region"):
        yield _pair(f"{region} 2021", rows, date(2021, 10, 1))
    long = pd.read_parquet(carbon / "pairs_96h_2022h2.parquet")
    for basis, rows in long[long["lead_h"] < 24].groupby("basis"):
        yield _pair(f"CISO 2022 {basis}", rows, date(2022, 10, 1))
    maps = pd.read_parquet(carbon / "hourly_em_2021_2022.parquet")
    for zone, rows in maps.groupby("zone"):
        history = record(rows["ts_utc"], rows["ci_lca_g_per_kwh"])
        yield Place(name=f"{zone} 2022", history=history,
                    first=date(2022, 1, 1))  # fmt: skip
    awhile = pd.read_parquet(carbon / "lwa_30min_2020.parquet")
    for region, rows in awhile.groupby("region"):
        history = record(rows["ts_utc"], rows["ci_g_per_kwh"], step="30min")
        yield Place(name=f"{region} 2020", history=history,
                    first=date(2020, 7, 1), last=date(2020, 12, 31))  # fmt: skip
    poland = pd.read_parquet(carbon / "hourly_pl_2020_2021.parquet")
    history = record(poland["ts_utc"], poland["ci_lifecycle_g_per_kwh"])
    yield Place(name="PL 2021", history=history, first=date(2021, 1, 1))
    spain = pd.read_parquet(data / "grid" / "es_2017_2018.parquet")
    history = record(spain["ts_utc"], spain["ci_lifecycle_derived_g_per_kwh"])
    yield Place(name="ES 2018", history=history, first=date(2018, 1, 1))
    yield Place(name="ES 2018 with weather", history=history, first=date(2018, 1, 1),
                weather=_weather(spain, "ts_utc"))  # fmt: skip
    germany = pd.read_parquet(data / "solar" / "tso_pairs_de_2021h2.parquet")
    pair = _pair("DE 2021 with weather", pairs[pairs["region"] == "DE"],
                 date(2021, 10, 1))  # fmt: skip
    yield replace(pair, weather=_weather(germany, "target_utc"))


def record(
    starts: pd.Series, values: pd.Series, *, issued: pd.Series | None = None,
    step: str = "1h",
) -> Record:  # fmt: skip
    """Columns of a table as a record."""
    n = len(starts)
    issues = np.full(n, UNDATED_US) if issued is None else _us(issued)
    return Record(
        starts_us=_us(starts),
        steps_us=np.full(n, pd.Timedelta(step).value // 1000),
        values=values.to_numpy(np.float64),
        issues_us=issues,
        signal=Signal.AVERAGE,
        currency=None,
    )


def _pair(name: str, rows: pd.DataFrame, first: date) -> Place:
    rows = rows.sort_values("target_utc")
    starts = rows["target_utc"]
    return Place(
        name=name,
        history=record(starts, rows["actual_g_per_kwh"]),
        issues={
            "published": record(
                starts, rows["forecast_g_per_kwh"], issued=rows["issue_utc"]
            )
        },
        first=first,
    )


def _weather(rows: pd.DataFrame, stamp: str) -> tuple[Record, ...]:
    """Day-ahead forecasts of wind, sun and load by the grid's operators."""
    names = [name for name in rows.columns if name.endswith("_forecast_da_mw")]
    return tuple(record(rows[stamp], rows[name]) for name in names)


def _us(stamps: pd.Series) -> np.ndarray:
    return stamps.dt.tz_convert("UTC").to_numpy("datetime64[us]").astype(np.int64)


if __name__ == "__main__":
    main()

from __future__ import annotations

import tempfile
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from forecasts.errors import ForecastUnavailableError
from forecasts.gathering import ForecastSet
from forecasts.series import Forecast
from forecasts.snapshot import SnapshotError, read_snapshot, write_snapshot
from tests.factories_forecast import day_values, grid_of, observations_of, prepared
from tests.factories_forecast_sets import forecast_sets


def plain(value: Any) -> Any:
    """Any forecast as values that compare bit by bit."""
    if isinstance(value, Forecast | ForecastSet):
        named = {
            field.name: plain(getattr(value, field.name)) for field in fields(value)
        }
        if isinstance(value, Forecast):
            named["quantiles"] = {k: plain(v) for k, v in value.quantiles.items()}
        return named
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.tobytes()
    return tuple(plain(item) for item in value) if isinstance(value, tuple) else value


def simple_set() -> ForecastSet:
    return ForecastSet(
        grid=grid_of(), carbon=(prepared(observations_of(day_values())),), solar=(None,)
    )


@settings(max_examples=20, deadline=None)
@given(forecast_sets())
def test_what_is_written_is_read_back_to_the_last_bit(forecasts: ForecastSet) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "deep" / "snapshot.parquet"
        write_snapshot(path, forecasts)
        assert plain(read_snapshot(path, forecasts.grid)) == plain(forecasts)
        assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_other_slots_are_refused(tmp_path: Path) -> None:
    write_snapshot(tmp_path / "s.parquet", simple_set())
    with pytest.raises(SnapshotError, match=r"24 slots.*expected.*48 slots"):
        read_snapshot(tmp_path / "s.parquet", grid_of(slot_minutes=30))


def test_any_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    write_snapshot(path, simple_set())
    good, expected = path.read_bytes(), plain(simple_set())
    noticed = 0
    positions = np.random.default_rng(0).choice(len(good), 200, replace=False)
    for position in positions.tolist():
        damaged = bytearray(good)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = read_snapshot(path, grid_of())
        except SnapshotError:
            noticed += 1
            continue
        assert plain(found) == expected
    assert noticed > 20


@pytest.mark.parametrize("what", ["metadata", "value"])
def test_snapshot_edited_by_hand_is_refused(tmp_path: Path, what: str) -> None:
    path = tmp_path / "s.parquet"
    write_snapshot(path, simple_set())
    table = pq.read_table(path)
    meta = dict(table.schema.metadata)
    if what == "metadata":
        meta[b"forecasts"] = meta[b"forecasts"].replace(b'"test"', b'"best"')
    else:
        table = table.set_column(3, "value", pa.array([9.0] * 24))
    pq.write_table(table.replace_schema_metadata(meta), path)
    with pytest.raises(SnapshotError, match="changed since it was written"):
        read_snapshot(path, grid_of())


def test_truncated_and_missing_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    with pytest.raises(ForecastUnavailableError, match="no such file"):
        read_snapshot(path, grid_of())
    write_snapshot(path, simple_set())
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(SnapshotError, match="not a whole snapshot"):
        read_snapshot(path, grid_of())


def test_foreign_parquet_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), tmp_path / "s.parquet")
    with pytest.raises(SnapshotError):
        read_snapshot(tmp_path / "s.parquet", grid_of())


def test_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "s.parquet"
    path.mkdir()
    (path / "old").touch()
    with pytest.raises(IsADirectoryError):
        write_snapshot(path, simple_set())
    assert [entry.name for entry in tmp_path.iterdir()] == ["s.parquet"]

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from forecasts import tables
from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from forecasts.file import File, FileOptions
from forecasts.provider import ForecastRequest, Observations
from forecasts.series import Forecast, Series, Signal
from tests.factories_forecast import (
    ARRAY,
    carbon_csv,
    day_values,
    grid_of,
    prepared,
    region_of,
    request_of,
)

HEADER = "region,start,g_per_kwh"


def fetch(request: ForecastRequest, path: str, **options: Any) -> Observations:
    return File(FileOptions(path=path, **options)).fetch(request)


def read(request: ForecastRequest, path: str, **options: Any) -> Forecast:
    return prepared(fetch(request, path, **options), request)


def csv_lines(root: Path, *lines: str, name: str = "c.csv") -> ForecastRequest:
    (root / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return request_of(root=root)


def faults(root: Path, *lines: str, **options: Any) -> list[str]:
    request = csv_lines(root, *lines)
    with pytest.raises(ForecastFormatError) as caught:
        fetch(request, "c.csv", **options)
    return [str(finding) for finding in caught.value.findings]


def hours(*columns: str, n: int = 24) -> list[str]:
    """One line an hour; ``{i}`` is the hour, ``{start}`` its start."""
    start = grid_of().start
    return [
        ",".join(columns).format(i=i, start=(start + timedelta(hours=i)).isoformat())
        for i in range(n)
    ]


def test_csv_is_read_to_the_last_digit(tmp_path: Path) -> None:
    values = day_values()
    carbon_csv(tmp_path / "c.csv", values)
    forecast = read(request_of(root=tmp_path), "c.csv")
    assert forecast.values.tolist() == values.tolist()
    assert forecast.signal is Signal.AVERAGE
    assert forecast.issued_at is None


def test_parquet_and_csv_give_the_same_forecast(tmp_path: Path) -> None:
    values, grid = day_values(), grid_of()
    carbon_csv(tmp_path / "c.csv", values)
    starts = pa.array(grid.starts_us(), pa.int64()).cast(pa.timestamp("us", "UTC"))
    table = pa.table(
        {
            "region": pa.array(["here"] * 24).dictionary_encode(),
            "start": starts.cast(pa.timestamp("ns", "Europe/Berlin")),
            "g_per_kwh": pa.array(values, pa.float64()),
        }
    )
    pq.write_table(table, tmp_path / "c.parquet")
    request = request_of(root=tmp_path)
    from_parquet, from_csv = read(request, "c.parquet"), read(request, "c.csv")
    assert (from_parquet.values == from_csv.values).all()


def test_offsets_mean_instants_and_not_clock_times(tmp_path: Path) -> None:
    request = csv_lines(
        tmp_path,
        HEADER,
        *(f"here,2026-11-22T{h:02}:30+05:30,{h}0" for h in range(5, 24)),
        *(f"here,2026-11-23T{h:02}:30+05:30,50" for h in range(5)),
    )
    assert read(request, "c.csv").values[:3].tolist() == [50, 60, 70]


def test_name_is_found_before_zone_and_zone_where_there_is_no_name(
    tmp_path: Path,
) -> None:
    by_both = csv_lines(
        tmp_path,
        HEADER,
        *hours("DE", "{start}", "1{i}"),
        *hours("here", "{start}", "2{i}"),
    )
    assert read(by_both, "c.csv").values[3] == 23
    by_zone = csv_lines(tmp_path, HEADER, *hours("DE", "{start}", "1{i}"))
    assert read(by_zone, "c.csv").values[3] == 13


def test_unknown_region_names_the_nearest(tmp_path: Path) -> None:
    request = csv_lines(tmp_path, HEADER, *hours("her", "{start}", "5"))
    with pytest.raises(ForecastUnavailableError, match="did you mean her"):
        fetch(request, "c.csv")


def test_quantiles_and_issue_are_read(tmp_path: Path) -> None:
    request = csv_lines(
        tmp_path,
        HEADER + ",p10,p50,p90,issued_at,signal",
        *hours("here", "{start}", "1{i}", "10", "20", "30", "2026-11-21T06:00Z",
               "marginal"),
    )  # fmt: skip
    forecast = read(request, "c.csv")
    assert list(forecast.quantiles) == [0.1, 0.5, 0.9]
    assert (forecast.quantiles[0.9] == 30).all()
    assert forecast.signal is Signal.MARGINAL
    assert forecast.issued_at is not None
    assert forecast.issued_at.isoformat() == "2026-11-21T06:00:00+00:00"


def test_rows_without_issue_yield_to_rows_with_one(tmp_path: Path) -> None:
    request = csv_lines(
        tmp_path,
        HEADER + ",issued_at",
        *hours("here", "{start}", "100", "2026-11-21T06:00Z"),
        *hours("here", "{start}", "200", ""),
    )
    assert (read(request, "c.csv").values == 100).all()


def test_every_bad_cell_is_named_by_row_and_column_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        HEADER,
        "here,2026-11-22T00:00,1",
        "here,2026-02-30T00:00Z,2",
        'here,2026-11-22T02:00Z,"2,5"',
        ",2026-11-22T03:00Z,inf",
    )
    assert [text.split(": found")[0] for text in found] == [
        "c.csv:5, region",
        "c.csv:2, start",
        "c.csv:3, start",
        "c.csv:4, g_per_kwh",
        "c.csv:5, g_per_kwh",
    ]
    assert "offset" in found[1]


def test_ragged_rows_are_named_by_their_line(tmp_path: Path) -> None:
    found = faults(tmp_path, HEADER, "here,2026-11-22T00:00Z,1", "here,1", "a,b,c,d")
    assert [text.split(": found")[0] for text in found] == ["c.csv:3", "c.csv:4"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("region,start,g_per_kw", "g_per_kwh"),
        ("region;start;g_per_kwh", "separated by ','"),
        ("region,start,g_per_kwh,p9O", "p90"),
        ("region,start,g_per_kwh,issued", "issued_at"),
        ("region,start,start,g_per_kwh", "each column once"),
        ("region,begin,g_per_kwh", "start"),
    ],
)
def test_wrong_header_says_what_was_expected(
    tmp_path: Path, header: str, expected: str
) -> None:
    cells = ",".join("1" for _ in header.split(","))
    assert any(expected in text for text in faults(tmp_path, header, cells))


def test_unrelated_columns_are_ignored_with_a_note(tmp_path: Path) -> None:
    request = csv_lines(
        tmp_path, HEADER + ",weather", *hours("here", "{start}", "5{i}", "sun")
    )
    assert "weather" in read(request, "c.csv").notes[0]


def test_byte_order_mark_and_windows_line_ends_are_accepted(tmp_path: Path) -> None:
    carbon_csv(tmp_path / "c.csv", day_values())
    text = (tmp_path / "c.csv").read_text().replace("\n", "\r\n")
    (tmp_path / "c.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert read(request_of(root=tmp_path), "c.csv").values[0] == day_values()[0]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("c.csv", b""),
        ("c.csv", HEADER.encode()),
        ("c.csv", "région".encode("latin-1") + b",start\n\xff,2\n"),
        ("c.csv", HEADER.encode("utf-16")),
        ("c.parquet", b"PAR1 not really PAR1"),
        ("c.parquet", b""),
        ("c.txt", b"region"),
        ("c.csv", b"a" * 100 + b"\n" + b"\x00" * 100),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(
    tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ForecastFormatError) as caught:
        fetch(request_of(root=tmp_path), name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value.findings[0])


def test_bytes_that_are_no_text_are_refused_by_row(tmp_path: Path) -> None:
    # the row has a cell too many as well, which the reader would tell us of in bytes
    (tmp_path / "c.csv").write_bytes(HEADER.encode() + b"\nhere,\xff,1,2\n")
    with pytest.raises(ForecastFormatError, match=r"c\.csv:2: found byte 0xff"):
        fetch(request_of(root=tmp_path), "c.csv")


@pytest.mark.parametrize("name", ["none.csv", "folder.csv", "nul\0.csv"])
def test_file_that_cannot_be_opened_is_unavailable(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ForecastUnavailableError):
        fetch(request_of(root=tmp_path), name)


def test_too_large_a_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "c.csv").open("wb") as file:
        file.truncate(tables.MAX_BYTES + 1)
    with pytest.raises(ForecastFormatError, match="at most 256 MiB"):
        fetch(request_of(root=tmp_path), "c.csv")


def test_parquet_that_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    table = pa.table({"region": pa.nulls(tables.MAX_ROWS + 1, pa.int8())})
    pq.write_table(table, tmp_path / "c.parquet")
    assert (tmp_path / "c.parquet").stat().st_size < 100_000
    with pytest.raises(ForecastFormatError, match="at most 5000000 rows"):
        fetch(request_of(root=tmp_path), "c.parquet")


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        ("start", pa.array([0], pa.timestamp("us")), "without a time zone"),
        ("start", pa.array([0], pa.int64()), "int64"),
        ("g_per_kwh", pa.array([True]), "bool"),
        ("region", pa.array([1]), "int64"),
    ],
)
def test_parquet_columns_of_the_wrong_type_are_refused(
    tmp_path: Path, column: str, values: Any, expected: str
) -> None:
    columns = {
        "region": pa.array(["here"]),
        "start": pa.array([0], pa.timestamp("us", "UTC")),
        "g_per_kwh": pa.array([1.0]),
        column: values,
    }
    pq.write_table(pa.table(columns), tmp_path / "c.parquet")
    with pytest.raises(ForecastFormatError, match=expected):
        fetch(request_of(root=tmp_path), "c.parquet")


def test_value_column_needs_a_unit_and_uses_it(tmp_path: Path) -> None:
    lines = ["region,start,value", *hours("here", "{start}", "1000")]
    assert "no unit" in faults(tmp_path, *lines)[0]
    request = csv_lines(tmp_path, *lines)
    forecast = read(request, "c.csv", unit="lb/MWh")
    assert forecast.values == pytest.approx(np.full(24, 453.59237))


def test_unit_that_contradicts_the_column_name_is_refused(tmp_path: Path) -> None:
    lines = [HEADER, *hours("here", "{start}", "1000")]
    assert "lb/MWh" in faults(tmp_path, *lines, unit="lb/MWh")[0]


def test_two_units_for_one_region_are_refused(tmp_path: Path) -> None:
    lines = ["region,start,value,unit", *hours("here", "{start}", "10", "g/kWh", n=23)]
    found = faults(tmp_path, *lines, "here,2026-11-22T23:00Z,10,lb/MWh")
    assert "one unit for one region" in found[0]


def test_end_column_states_the_interval(tmp_path: Path) -> None:
    request = csv_lines(
        tmp_path,
        HEADER + ",end",
        "here,2026-11-22T00:00Z,100,2026-11-22T06:00Z",
        "here,2026-11-22T06:00Z,200,2026-11-23T00:00Z",
    )
    forecast = read(request, "c.csv")
    assert forecast.values.tolist() == [100.0] * 6 + [200.0] * 18
    assert forecast.filled_slots == 0


def test_file_with_both_signals_needs_a_choice(tmp_path: Path) -> None:
    lines = [
        HEADER + ",signal",
        *hours("here", "{start}", "100", "average"),
        *hours("here", "{start}", "700", "marginal"),
    ]
    assert "average and marginal" in faults(tmp_path, *lines)[0]
    forecast = read(csv_lines(tmp_path, *lines), "c.csv", signal="marginal")
    assert (forecast.values == 700).all()


def test_unknown_signal_is_refused_with_its_row(tmp_path: Path) -> None:
    found = faults(tmp_path, HEADER + ",signal", *hours("here", "{start}", "1", "avg"))
    assert found[0].startswith("c.csv:2, signal")


def test_solar_and_price_files_have_their_own_columns(tmp_path: Path) -> None:
    csv_lines(tmp_path, "region,start,kw", *hours("here", "{start}", "{i}"))
    solar = request_of(Series.SOLAR, region=region_of(solar=ARRAY), root=tmp_path)
    assert read(solar, "c.csv").values.tolist() == list(range(24))
    csv_lines(tmp_path, "region,start,price_per_kwh", *hours("here", "{start}", "-0.1"))
    price = request_of(Series.PRICE, root=tmp_path)
    assert (read(price, "c.csv").values == -0.1).all()


def test_digest_is_of_the_bytes_that_were_read(tmp_path: Path) -> None:
    from hashlib import sha256

    path = carbon_csv(tmp_path / "c.csv", day_values())
    observations = fetch(request_of(root=tmp_path), "c.csv")
    assert observations.files == (("c.csv", sha256(path.read_bytes()).hexdigest()),)

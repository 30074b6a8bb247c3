"""``past = […]``: services that forecast nothing, from settings to a plan."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from tests.replay_generation import FACTORS
from tests.replay_measured import PAST_ONLY, remembering
from tests.replay_servers import ReplayServer, serving
from tests.replay_services import CANARY, GRID

NOON = GRID.start + timedelta(hours=12)
SERVICE = next(s for s in PAST_ONLY if s.name == "entsoe_generation")
HISTORY = "outputs/forecasts/measured/entsoe_generation.carbon.parquet"


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with serving(remembering(SERVICE, NOON)) as one:
        yield one


@pytest.fixture
def root(tmp_path: Path, server: ReplayServer) -> Path:
    (tmp_path / "factors.csv").write_text(FACTORS)
    (tmp_path / "planner.toml").write_text(f"""
[regions.frankfurt]
zone = "aws:eu-central-1"

[forecasts.carbon]
provider = "learned"
history = "{HISTORY}"
past = ["entsoe_generation"]
base_url = "{server.url}"
factors = "factors.csv"
""")
    return tmp_path


def ran(root: Path, *words: str) -> Result:
    app = App(clock=lambda: NOON, environment=SERVICE.environment)
    return CliRunner().invoke(main, ["-C", str(root), *words], obj=app)


def test_generation_is_collected_and_forecast_from_and_called_an_estimate(
    root: Path,
) -> None:
    fetched = ran(root, "forecast", "fetch", "--past", "60d")
    assert fetched.exit_code == ExitCode.DONE, fetched.output
    assert "entsoe_generation" in fetched.stdout
    assert HISTORY in fetched.stdout
    shown = ran(root, "forecast", "show", "--date", "tomorrow", "--json")
    assert shown.exit_code == ExitCode.DONE, shown.output
    assert "values are estimated: generation by type x factors.csv" in shown.output
    assert CANARY not in fetched.output + shown.output


def test_fetch_without_past_asks_it_nothing(root: Path, server: ReplayServer) -> None:
    told = json.loads(ran(root, "forecast", "fetch", "--json").stdout)
    assert "measured" not in told
    assert not server.seen


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('provider = "entsoe_generation"', "one tells the past: past = [...]"),
        ('fallback = ["watttime_average"]', "one tells the past: past = [...]"),
        ('past = ["typical"]', "a service that tells what was measured"),
        ('past = ["entsoe_generatoin"]', "did you mean entsoe_generation"),
    ],
)
def test_provider_out_of_place_is_refused_with_the_place_that_it_has(
    tmp_path: Path, line: str, said: str
) -> None:
    first = "" if line.startswith("provider") else 'provider = "typical"\n'
    (tmp_path / "planner.toml").write_text(
        f'[regions.here]\nzone = "DE"\n[forecasts.carbon]\n{first}{line}\n'
    )
    result = ran(tmp_path, "forecast", "fetch")
    assert result.exit_code == ExitCode.REFUSED
    assert said in " ".join(result.stderr.split())


def test_measured_file_of_an_earlier_version_is_added_to(root: Path) -> None:
    import pyarrow.parquet as pq

    ran(root, "forecast", "fetch", "--past", "5d")
    path = root / HISTORY
    table = pq.read_table(path)
    foot = json.loads(table.schema.metadata[b"measured_values"])
    old = table.drop_columns("estimated").replace_schema_metadata(
        {b"measured_values": json.dumps({**foot, "schema_version": 1}).encode()}
    )
    pq.write_table(old, path)
    assert ran(root, "forecast", "fetch", "--past", "2d").exit_code == ExitCode.DONE
    told = pq.read_table(path).to_pydict()["estimated"]
    assert told[0] is None
    assert told[-1].startswith("generation by type")

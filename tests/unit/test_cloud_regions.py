"""Cloud regions as zones: the table, what a user changes, what a provider hears."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from forecasts import gather
from forecasts.cloud_grids import COLUMNS, grid_at
from forecasts.errors import NoForecastError
from forecasts.series import Series
from inputs.cloud_regions import GRIDS, cloud_regions
from inputs.errors import SettingsError
from inputs.origins import sources
from inputs.settings import Workspace
from inputs.workspace import load_workspace
from outputs.plan_file import read_plan
from planner.cli.exit_codes import ExitCode
from tests.drivers_live import BY_NAME, DAY, Night
from tests.factories_forecast import grid_of, region_of, workspace_of
from tests.factories_workspace import Folder, jobs_yaml
from tests.replay_servers import serving
from tests.replay_services import SERVICES

PATTERNS = {
    "electricity_maps": r"[A-Z][A-Z0-9-]{1,31}",
    "watttime": r"[A-Z][A-Z0-9_]{1,63}",
    "uk_carbon_intensity": r"GB(-([1-9]|1[0-7]))?",
    "energy_charts": r"[A-Z]{2}",
    "bidding_zone": r"[A-Z]{2}[A-Za-z0-9-]*",
}
STOCKHOLM = "aws:eu-north-1"
SETTINGS = """
[regions.north]
zone = "aws:eu-north-1"
[regions.london]
zone = "gcp:europe-west2"
[regions.own]
zone = "azure:westeurope"
pue = 1.5
[regions.hall]
zone = "SE-SE3"
"""


def loaded(root: Path, text: str = SETTINGS, **environment: str) -> Workspace:
    (root / "planner.toml").write_text(text)
    return load_workspace(root, environment=environment)


def test_every_row_is_whole() -> None:
    for row in cloud_regions().values():
        assert re.fullmatch(r"(aws|gcp|azure):[a-z0-9-]+", row.name)
        assert row.location, row
        assert row.grid_from in ("country", "area", "utility"), row
        assert row.grids["electricity_maps"], row
        for column, grid in row.grids.items():
            assert re.fullmatch(PATTERNS[column], grid), row
        assert row.pue is None or 1 < row.pue < 2, row
        source = r"(AWS|Google|Microsoft) 20\d\d" if row.pue else ""
        assert re.fullmatch(source, row.pue_from), row


def test_table_is_sorted_within_providers_and_names_each_region_once() -> None:
    path = Path(__file__).parents[2] / "inputs" / "cloud_regions.csv"
    names = [line.split(",")[0] for line in path.read_text().splitlines()[1:]]
    assert len(names) == len(set(names)) == len(cloud_regions())
    by_provider = {"aws": 0, "gcp": 1, "azure": 2}
    assert names == sorted(names, key=lambda n: (by_provider[n.split(":")[0]], n))


def test_grids_of_one_country_agree_between_clouds() -> None:
    same: dict[str, set[tuple[str, ...]]] = {}
    for row in cloud_regions().values():
        found = tuple(row.grids.get(c, "") for c in GRIDS if c != "watttime")
        same.setdefault(row.grids["electricity_maps"], set()).add(found)
    assert {zone: len(found) for zone, found in same.items() if len(found) > 1} == {}


def test_published_pue_stands_in_where_none_is_set(tmp_path: Path) -> None:
    workspace = loaded(tmp_path)
    assert [region.pue for region in workspace.regions] == [1.1, 1.0, 1.5, 1.0]
    assert workspace.origins["regions.north.pue"] == (
        "cloud region aws:eu-north-1, AWS 2024"
    )
    assert workspace.origins["regions.own.pue"] == "planner.toml"
    assert "regions.hall.pue" not in workspace.origins


def test_pue_of_the_environment_wins_over_the_table(tmp_path: Path) -> None:
    workspace = loaded(tmp_path, PLANNER_REGIONS_NORTH_PUE="1.3")
    assert workspace.regions[0].pue == 1.3


def test_settings_change_and_add_rows(tmp_path: Path) -> None:
    own = """
[cloud_regions."aws:eu-north-1"]
electricity_maps = "SE"
pue = 1.2
[cloud_regions."oci:uk-london-1"]
uk_carbon_intensity = "GB-13"
[regions.oracle]
zone = "oci:uk-london-1"
"""
    workspace = loaded(tmp_path, SETTINGS + own)
    north, oracle = workspace.regions[0], workspace.regions[-1]
    stockholm = workspace.cloud_region(north)
    assert stockholm is not None
    assert (north.pue, stockholm.grids["electricity_maps"]) == (1.2, "SE")
    assert stockholm.grids["energy_charts"] == "SE"
    added = workspace.cloud_region(oracle)
    assert added is not None
    assert grid_at(added, "uk_carbon_intensity", Series.CARBON) == "GB-13"
    assert oracle.pue == 1.0


def test_config_lists_changed_rows_and_where_a_pue_comes_from(tmp_path: Path) -> None:
    own = '[cloud_regions."aws:eu-north-1"]\nelectricity_maps = "SE"\n'
    listed = {s.key: s for s in sources(loaded(tmp_path, SETTINGS + own))}
    assert listed["cloud_regions.aws:eu-north-1.electricity_maps"].value == "SE"
    assert listed["regions.north.pue"].source == "cloud region aws:eu-north-1, AWS 2024"


def test_plan_says_which_pue_it_took_and_where_none_is_published(
    tmp_path: Path,
) -> None:
    settings = """
[planner]
jobs = ["jobs.yaml"]
[regions.north]
zone = "aws:eu-north-1"
capacity = { cpu = 4 }
[regions.london]
zone = "gcp:europe-west2"
capacity = { cpu = 4 }
"""
    folder = Folder(tmp_path)
    folder.write("planner.toml", settings)
    folder.write("jobs.yaml", jobs_yaml({"power_kw": 1, "duration": "1h"}))
    planned = json.loads(folder.run("solve", "--date", "2026-11-22", "--json").stdout)
    told = " ".join(planned["warnings"])
    assert "region north: PUE 1.1 of aws:eu-north-1, AWS 2024" in told
    assert "region london: no PUE is published for gcp:europe-west2" in told
    (row,) = read_plan(Path(planned["plan"])).rows.to_pylist()
    assert (row["region"], row["energy_kwh"]) == ("north", 1.1)
    assert folder.run("check", planned["plan"]).exit_code == ExitCode.DONE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[regions.a]\nzone = "aws:eu-nrth-1"', "did you mean aws:eu-north-1"),
        ('[regions.a]\nzone = "asw:eu-north-1"', "did you mean aws:eu-north-1"),
        ('[regions.a]\n[cloud_regions."aws:x"]\npeu = 1.1', "did you mean pue"),
        ('[regions.a]\n[cloud_regions."aws:x"]\npue = 0.9', "greater than or equal"),
        ("[regions.a]\n[cloud_regions.eu-north-1]\npue = 1.1", "cloud_regions"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_line(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(SettingsError, match=r"planner\.toml") as caught:
        loaded(tmp_path, text)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("zone", "provider", "series", "heard"),
    [
        (STOCKHOLM, "electricity_maps", Series.CARBON, "SE-SE3"),
        (STOCKHOLM, "energy_charts", Series.CARBON, "SE"),
        (STOCKHOLM, "energy_charts", Series.PRICE, "SE3"),
        (STOCKHOLM, "electricity_maps", Series.PRICE, "SE-SE3"),
        (STOCKHOLM, "uk_carbon_intensity", Series.CARBON, None),
        (STOCKHOLM, "carbon_aware_sdk", Series.CARBON, None),
        (STOCKHOLM, "file", Series.CARBON, None),
        ("azure:eastus", "carbon_aware_sdk", Series.CARBON, "eastus"),
        ("gcp:us-central1", "watttime", Series.CARBON, "MISO_MASON_CITY"),
        ("gcp:europe-west3", "entsoe", Series.PRICE, "DE-LU"),
    ],
)
def test_provider_hears_its_own_name_of_the_grid(
    zone: str, provider: str, series: Series, heard: str | None
) -> None:
    assert grid_at(cloud_regions()[zone], provider, series) == heard


def test_every_column_belongs_to_a_provider() -> None:
    assert set(COLUMNS.values()) == set(GRIDS)


CLOUDS = {
    "electricity_maps-DE": "aws:eu-central-1",
    "watttime-CAISO_NORTH": "azure:westus",
    "uk_carbon_intensity-GB": "gcp:europe-west2",
    "energy_charts-DE": "gcp:europe-west10",
    "carbon_aware_sdk-eastus": "azure:eastus",
}


@pytest.mark.parametrize("name", CLOUDS)
def test_live_provider_answers_for_a_cloud_region(tmp_path: Path, name: str) -> None:
    provider, zone = name.split("-", 1)
    (service,) = (s for s in SERVICES if f"{s.name}-{s.zone}" == name)
    with serving(service.answer()) as server:
        cloudy = replace(service, zone=CLOUDS[name])
        forecast = Night(tmp_path, cloudy, server.url).carbon()
    assert forecast.provider == provider, forecast.notes
    assert forecast.values == pytest.approx(DAY, rel=1e-12)
    history = tmp_path / "outputs" / "forecasts" / "history" / provider
    assert [folder.name for folder in history.iterdir()] == [zone]


def test_provider_without_a_zone_names_those_that_are_known(tmp_path: Path) -> None:
    service = replace(BY_NAME["uk_carbon_intensity"], zone=STOCKHOLM)
    night = Night(tmp_path, service, "http://127.0.0.1:1")
    with pytest.raises(NoForecastError) as caught:
        night.carbon(fallback=[])
    said = str(caught.value)
    assert "cloud region aws:eu-north-1 has no zone of this provider" in said
    assert "electricity_maps SE-SE3" in said
    assert '[cloud_regions."aws:eu-north-1"]' in said


def test_zones_of_the_provider_win_over_the_table(tmp_path: Path) -> None:
    service = BY_NAME["electricity_maps"]
    with serving(service.answer()) as server:
        night = Night(tmp_path, replace(service, zone=STOCKHOLM), server.url)
        own = {"base_url": server.url, "zones": {STOCKHOLM: "FI"}}
        night.carbon(tables={service.name: own})
    assert server.seen[0].query["zone"] == "FI"


def test_typical_day_is_that_of_the_cloud_regions_grid(tmp_path: Path) -> None:
    grid = grid_of()
    table = {"carbon": {"provider": "typical"}}
    regions = (region_of("a", zone=STOCKHOLM), region_of("b", zone="SE-SE3"))
    workspace = workspace_of(tmp_path, *regions, forecasts=table)
    a, b = gather(workspace, grid, now=grid.start - timedelta(hours=6)).carbon
    assert a.values.tolist() == b.values.tolist()

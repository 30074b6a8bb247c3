"""planner.toml: found upwards, checked as a whole, overridden in a stated order."""

from __future__ import annotations

import pickle
from datetime import timedelta
from pathlib import Path

import pytest

from inputs.errors import SettingsError
from inputs.origins import sources
from inputs.settings import Workspace
from inputs.workspace import find_root, load_workspace
from planner.executor.energy_file import VARIABLE

SMALL = "[regions.eu-north]\ncapacity = { cpu = 4 }\n"


def read(root: Path, text: str, **environment: str) -> Workspace:
    (root / "planner.toml").write_text(text, encoding="utf-8")
    return load_workspace(root, environment=environment)


def refusal(root: Path, text: str, **environment: str) -> str:
    with pytest.raises(SettingsError) as refused:
        read(root, text, **environment)
    return str(refused.value)


def test_the_root_is_found_from_below(tmp_path: Path) -> None:
    (tmp_path / "planner.toml").write_text(SMALL)
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find_root(below) == tmp_path


def test_no_workspace_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="planner init"):
        find_root(tmp_path)


def test_the_smallest_file_takes_every_default(tmp_path: Path) -> None:
    workspace = read(tmp_path, SMALL)
    assert workspace.settings.planner.slot_minutes == 15
    assert workspace.settings.planner.timezone == "UTC"
    assert workspace.settings.forecasts.carbon.provider == "typical"
    assert workspace.regions[0].name == "eu-north"
    assert workspace.outputs == tmp_path / "outputs"


def test_every_key_of_the_contract_is_read(tmp_path: Path) -> None:
    text = """
[planner]
timezone = "Europe/Berlin"
slot_minutes = 30
horizon_hours = 48
jobs = ["inputs/jobs.yaml", "inputs/*.csv"]
outputs = "out"
[objective]
carbon_price_per_kg = 1.0
energy_cost = 0.1
delay_per_hour = 0.2
unplaced = 500
[regions.eu-north]
zone = "SE-SE3"
capacity = { cpu = 512, gpu = 32, memory_gib = 4096 }
power_cap_kw = 120
pue = 1.12
base_load_kw = 0
solar = { kwp = 250, latitude = 59.3, longitude = 18.1, tilt = 35, azimuth = 180 }
solar_budget_kwh = 600
executor = "slurm"
[forecasts.carbon]
provider = "file"
path = "forecasts/carbon.csv"
fallback = ["typical"]
max_age = "36h"
[forecasts.solar]
provider = "clear_sky"
[transfer]
kwh_per_gb = 0.001
"""
    settings = read(tmp_path, text).settings
    assert settings.regions[0].solar is not None
    assert settings.forecasts.carbon.max_age is not None
    assert settings.objective.unplaced == 500
    assert settings.planner.jobs == ("inputs/jobs.yaml", "inputs/*.csv")


def test_all_problems_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = refusal(
        tmp_path,
        '[planner]\ntimezone = "Europe/Berlni"\nslot_minutes = 7\nhorizon = 3\n'
        "[objective]\nunplaced = -3\n"
        "[regions.x]\npue = 0.5\ncapacity = { cpu = -5 }\n"
        "solar = { kwp = 1, latitude = 99, longitude = 0 }\n",
    )
    places = [line.split(": found")[0] for line in text.splitlines()]
    assert places == [
        "planner.toml:2, planner.timezone",
        "planner.toml:3, planner.slot_minutes",
        "planner.toml:4, planner.horizon",
        "planner.toml:6, objective.unplaced",
        "planner.toml:8, regions.x.pue",
        "planner.toml:9, regions.x.capacity.cpu",
        "planner.toml:10, regions.x.solar.latitude",
    ]
    assert "did you mean horizon_hours?" in text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "at least one [regions.NAME]"),
        ("[regions]\n", "at least one [regions.NAME]"),
        (SMALL + "[plannr]\n", "did you mean planner?"),
        (SMALL + "[forecasts.carbn]\nprovider='file'\n", "did you mean carbon?"),
        (SMALL + "[forecasts.price]\npath='x'\n", "forecasts.price.provider"),
        (SMALL + "pue = nan\n", "regions.eu-north.pue"),
        (SMALL + "power_cap_kw = inf\n", "regions.eu-north.power_cap_kw"),
        ('[regions."-x"]\n', "no leading dash"),
        ('[regions."../x"]\n', "no leading dash"),
        (SMALL + "[planner]\nhorizon_hours = 169\n", "168"),
        (SMALL + "[planner]\nslot_minutes = 15.0\n", "slot_minutes"),
        (SMALL + "[planner]\ntimezone = '../../etc/passwd'\n", "an IANA time zone"),
        (
            SMALL + "battery = { capacity_kwh = 4, charge_kw = 1, discharge_kw = 1 }\n",
            "batteries are not supported yet",
        ),
        (
            SMALL + "battery = { capacity_kwh = 4, charge = 1, discharge_kw = 1 }\n",
            "did you mean charge_kw?",
        ),
        (
            SMALL + "[[budgets]]\nteam = 'a'\nemissions_kg = 40\n",
            "planner.toml:3, budgets.0: found a table, expected none; budgets are not",
        ),
        (SMALL + "[[budgets]]\ntaem = 'a'\n", "did you mean team?"),
        ("[regions.x\n", "expected TOML"),
        (
            SMALL + "slot_minutes = 30 x\n",
            "planner.toml:3: found a mistake at column 19 (Expected newline",
        ),
        ("a = " + "[" * 100_000, "expected TOML"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str, told: str) -> None:
    assert told in refusal(tmp_path, text)


def test_other_encodings_and_sizes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "planner.toml"
    path.write_bytes(SMALL.encode("utf-16"))
    with pytest.raises(SettingsError, match="UTF-8"):
        load_workspace(tmp_path, environment={})
    path.write_bytes(b"#" * ((4 << 20) + 1))
    with pytest.raises(SettingsError, match="at most 4 MiB"):
        load_workspace(tmp_path, environment={})


def test_environment_wins_over_the_file_and_flags_win_over_both(
    tmp_path: Path,
) -> None:
    text = "[planner]\nslot_minutes = 30\ntimezone = 'UTC'\noutputs = 'x'\n" + SMALL
    (tmp_path / "planner.toml").write_text(text)
    workspace = load_workspace(
        tmp_path,
        environment={
            "PLANNER_SLOT_MINUTES": "20",
            "PLANNER_TIMEZONE": "Europe/Paris",
            "PLANNER_REGIONS_EU_NORTH_POWER_CAP_KW": "12.5",
            "PLANNER_FORECASTS_CARBON_MAX_AGE": "12h",
            "PLANNER_FORECASTS_CARBON_BASE_URL": "http://localhost",
            "PLANNER_SOLVE_GAP": "0.1",
            "HOME": "/",
        },
        flags={"planner.slot_minutes": 60},
    )
    assert workspace.settings.planner.slot_minutes == 60
    assert workspace.settings.planner.timezone == "Europe/Paris"
    assert workspace.regions[0].power_cap_kw == 12.5
    told = {s.key: s.source for s in sources(workspace)}
    assert told["planner.slot_minutes"] == "flag"
    assert told["planner.timezone"] == "environment PLANNER_TIMEZONE"
    assert told["planner.outputs"] == "planner.toml"
    assert told["planner.horizon_hours"] == "default"
    assert told["regions.eu-north.capacity"] == "planner.toml"


def test_bad_variables_are_told_by_name(tmp_path: Path) -> None:
    text = refusal(
        tmp_path,
        SMALL,
        PLANNER_HORIZON_HOURS="900",
        PLANNER_OBJECTIVE_ENERGY_COTS="1",
    )
    assert "environment PLANNER_HORIZON_HOURS" in text
    assert "did you mean PLANNER_OBJECTIVE_ENERGY_COST?" in text


def test_energy_and_settlement_are_overridden_like_other_sections(
    tmp_path: Path,
) -> None:
    workspace = read(
        tmp_path,
        SMALL + "[energy.prometheus]\nurl = 'http://a'\nquery = 'q'\n",
        PLANNER_ENERGY_PROMETHEUS_URL="http://b:9090",
        PLANNER_ENERGY_PROMETHEUS_AT_PLUG="true",
        PLANNER_SETTLEMENT_CARBON_PATH="measured.csv",
        PLANNER_SETTLEMENT_CARBON_SIGNAL="average",
        PLANNER_SETTLEMENT_CARBON_STEP="30m",
    )
    prometheus = workspace.settings.energy.prometheus
    carbon = workspace.settings.settlement.carbon
    assert prometheus is not None
    assert (prometheus.url, prometheus.at_plug) == ("http://b:9090", True)
    assert carbon is not None
    assert (carbon.path, carbon.signal) == ("measured.csv", "average")
    assert carbon.step == timedelta(minutes=30)
    told = {s.key: s.source for s in sources(workspace)}
    source = "environment PLANNER_SETTLEMENT_CARBON_PATH"
    assert told["settlement.carbon.path"] == source


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("PLANNER_ENERGY_PROMETHEUS_ULR", "PLANNER_ENERGY_PROMETHEUS_URL"),
        ("PLANNER_SETTLEMENT_CARBON_PAHT", "PLANNER_SETTLEMENT_CARBON_PATH"),
    ],
)
def test_a_misspelt_variable_of_a_section_names_the_near_one(
    tmp_path: Path, name: str, near: str
) -> None:
    assert f"did you mean {near}?" in refusal(tmp_path, SMALL, **{name: "x"})


def test_what_a_job_is_told_is_no_setting_of_the_planner_that_it_calls(
    tmp_path: Path,
) -> None:
    assert read(tmp_path, SMALL, **{VARIABLE: "/runs/energy.json"}).regions


def test_a_variable_that_means_two_regions_is_refused(tmp_path: Path) -> None:
    two = "[regions.a-b]\n[regions.a_b]\n"
    assert "rename a region" in refusal(tmp_path, two, PLANNER_REGIONS_A_B_PUE="1.1")


def test_errors_survive_pickling(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, "")
    again = pickle.loads(pickle.dumps(refused.value))
    assert str(again) == str(refused.value)

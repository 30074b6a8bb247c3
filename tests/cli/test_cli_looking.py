"""Commands that only look: forecast, config, solvers; and init, that begins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from planner.cli.group import COMMANDS
from solvers.registry import SOLVERS
from tests.factories_workspace import (
    DAY,
    NOW,
    SETTINGS,
    Folder,
    a_workspace,
    carbon_csv,
)


def run_with(workspace: Folder, environment: dict[str, str], *words: str) -> Result:
    """A command in a workspace under some environment variables."""
    app = App(clock=lambda: NOW, environment=environment, directory=workspace.root)
    return CliRunner().invoke(main, list(words), obj=app)


def settings_of(result: Result) -> dict[str, dict[str, object]]:
    assert result.exit_code == ExitCode.DONE, result.stderr
    found: dict[str, dict[str, object]] = json.loads(result.stdout)["settings"]
    return found


def test_config_names_the_source_of_every_value(tmp_path: Path) -> None:
    environment = {"PLANNER_REGIONS_NORTH_PUE": "1.5", "PLANNER_SLOT_MINUTES": "30"}
    found = settings_of(
        run_with(a_workspace(tmp_path), environment, "config", "--json")
    )
    assert found["regions.north.pue"] == {
        "value": 1.5,
        "source": "environment PLANNER_REGIONS_NORTH_PUE",
    }
    assert found["planner.slot_minutes"]["value"] == 30
    assert found["planner.timezone"] == {"value": "UTC", "source": "planner.toml"}
    assert found["regions.south.pue"] == {"value": 1.0, "source": "default"}


def test_config_shows_what_solve_would_use(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    shown = workspace.run("config").stdout
    assert shown.startswith(f"# {tmp_path.resolve()}\n")
    (line,) = [line for line in shown.splitlines() if "power_cap_kw" in line][:1]
    assert line.split() == ["regions.north.power_cap_kw", "10", "#", "planner.toml"]


@pytest.mark.parametrize(
    ("key", "written"),
    [
        ("planner.jobs", '["inputs/*"]'),
        ("planner.site", "–"),
        ("regions.north.capacity", "{ cpu = 4 }"),
        ("regions.north.pue", "1.2"),
        ("forecasts.carbon.max_gap", '"2h"'),
        ("executor.allow_root", "false"),
        ("settlement.embodied_kg_per_hour", "{}"),
        ("alerts", '[{ kind = "webhook", on = ["failed", "missed", '),
    ],
)
def test_config_shows_values_as_planner_toml_has_them(
    tmp_path: Path, key: str, written: str
) -> None:
    alert = '[[alerts]]\nkind = "webhook"\nurl = "https://a.example/hook"\n'
    workspace = a_workspace(tmp_path, settings=f"{SETTINGS}\n{alert}")
    lines = workspace.run("config").stdout.splitlines()
    (line,) = [line for line in lines if line.startswith(f"{key} ")]
    assert line.removeprefix(key).lstrip().startswith(written)
    assert "a.example" not in line  # the address of a hook is a secret


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PLANNER_OBJECTIVE_CARBON_PRICE", "2", "an environment variable that sets"),
        ("PLANNER_REGIONS_NORTH_PUE", "high", "PLANNER_REGIONS_NORTH_PUE"),
        ("PLANNER_TIMEZONE", "Mars/Base", "Mars/Base"),
    ],
)
def test_wrong_variables_are_refused_by_name(
    tmp_path: Path, name: str, value: str, said: str
) -> None:
    result = run_with(a_workspace(tmp_path), {name: value}, "config")
    assert result.exit_code == ExitCode.REFUSED
    assert said in result.stderr
    assert result.stdout == ""


def test_forecast_shows_every_region_with_its_source_and_range(tmp_path: Path) -> None:
    result = a_workspace(tmp_path).run("forecast", "show", "--date", DAY)
    assert result.exit_code == ExitCode.DONE
    head, north, south = result.stdout.splitlines()
    assert head.split()[3:] == ["lowest", "…", "mean", "…", "highest"]
    assert head.index("mean") + len("mean") == north.index("200") + len("200")
    assert north.split()[:3] == ["carbon", "north", "file"]
    # 6 h of 300, 6 h of 100 and 12 h of 200
    assert north.split()[3:9] == ["100", "…", "200", "…", "300", "g/kWh"]
    assert south.split()[1] == "south"


def test_forecast_gives_its_values_to_programs(tmp_path: Path) -> None:
    words = ("forecast", "show", "--date", DAY, "--json")
    found = json.loads(a_workspace(tmp_path).run(*words).stdout)
    assert found["slot_starts"][0] == "2026-11-22T00:00:00+00:00"
    assert len(found["slot_starts"]) == 24
    north = found["forecasts"][0]
    assert (north["region"], north["unit"], north["values"][6]) == (
        "north",
        "g/kWh",
        100.0,
    )


def test_forecast_that_fell_back_is_degraded(tmp_path: Path) -> None:
    settings = SETTINGS.replace("[regions.south]", '[regions.south]\nzone = "DE"')
    settings = settings.replace("[regions.north]", '[regions.north]\nzone = "SE-SE3"')
    workspace = a_workspace(tmp_path, settings=settings + 'fallback = ["typical"]\n')
    workspace.write("carbon.csv", carbon_csv("2026-11-01"))
    result = workspace.run("forecast", "show", "--date", DAY)
    assert result.exit_code == ExitCode.DEGRADED
    assert "typical" in result.stdout
    assert "note:" in result.stderr


def test_forecast_with_a_hole_is_refused(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path, carbon=carbon_csv("2026-11-01"))
    result = workspace.run("forecast", "show", "--date", DAY)
    assert result.exit_code == ExitCode.REFUSED
    assert "north" in result.stderr


def test_providers_are_listed_with_what_they_give(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    found = json.loads(workspace.run("forecast", "providers", "--json").stdout)
    assert found["providers"]["file"] == ["carbon", "solar", "price"]
    assert found["providers"]["clear_sky"] == ["solar"]
    listed = workspace.run("forecast", "providers").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(found["providers"])


def test_solvers_are_listed_in_the_order_of_the_registry(tmp_path: Path) -> None:
    workspace = a_workspace(tmp_path)
    found = json.loads(workspace.run("solvers", "--json").stdout)["solvers"]
    assert list(found) == list(SOLVERS)
    assert found["asap"] == found["exact"] == found["cbc"] == "ready"
    listed = workspace.run("solvers").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(SOLVERS)


@pytest.mark.parametrize(
    "words", [("solvers",), ("forecast", "providers"), ("init", "new")]
)
def test_no_workspace_is_needed(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert Folder(tmp_path).run(*words).exit_code == ExitCode.DONE


@pytest.mark.parametrize("words", [("config",), ("status",), ("execute",), ("check",)])
def test_without_a_workspace_the_way_to_one_is_shown(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    result = Folder(tmp_path).run(*words)
    assert result.exit_code == ExitCode.REFUSED
    assert "planner init" in result.stderr


def test_init_makes_a_workspace_that_plans_at_once(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    made = folder.run("init", "new/one")
    assert made.exit_code == ExitCode.DONE
    assert "next: planner -C" in made.stderr
    words = ("-C", str(tmp_path / "new/one"), "solve", "--solver", "greedy", "--json")
    found = json.loads(folder.run(*words).stdout)
    assert found["jobs"] == found["placed"] > 0


@pytest.mark.parametrize("name", ["planner.toml", "inputs/search.yaml"])
def test_init_never_overwrites_and_writes_nothing_then(
    tmp_path: Path, name: str
) -> None:
    folder = Folder(tmp_path)
    mine = folder.write(name, "# mine\n")
    result = folder.run("init")
    assert result.exit_code == ExitCode.REFUSED
    assert name in result.stderr
    assert mine.read_text() == "# mine\n"
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [mine]


def test_init_in_a_file_is_refused(tmp_path: Path) -> None:
    Folder(tmp_path).write("taken", "")
    result = Folder(tmp_path).run("init", "taken")
    assert result.exit_code == ExitCode.REFUSED
    assert result.stderr == f"Error: {tmp_path / 'taken'}: File exists\n"


def test_commands_are_listed_in_the_order_of_use(tmp_path: Path) -> None:
    shown = Folder(tmp_path).run("--help").stdout.split("Commands:")[1]
    listed = shown.split("Examples:")[0].strip().splitlines()
    assert [line.split()[0] for line in listed] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_ends_in_examples_of_it(
    tmp_path: Path, name: str
) -> None:
    shown = Folder(tmp_path).run(name, "--help").stdout
    assert f"planner {name}" in shown.split("Examples:\n")[1]


def test_mistyped_command_names_the_nearest(tmp_path: Path) -> None:
    result = Folder(tmp_path).run("exceute")
    assert result.exit_code == ExitCode.USAGE
    assert "Did you mean 'execute'?" in result.stderr


def test_folder_that_does_not_exist_is_a_usage_error(tmp_path: Path) -> None:
    result = Folder(tmp_path).run("-C", str(tmp_path / "gone"), "config")
    assert result.exit_code == ExitCode.USAGE


def test_status_tells_the_hour_that_a_day_repeats_apart(tmp_path: Path) -> None:
    settings = SETTINGS.replace('"UTC"', '"Europe/Berlin"')
    day = "2026-10-25"
    jobs = [{"id": f"at-{n}", "pin": f'{{ start: "{day}T0{n}:00Z" }}'} for n in (0, 1)]
    values = carbon_csv("2026-10-24", day)
    workspace = a_workspace(tmp_path, *jobs, settings=settings, carbon=values)
    solved = workspace.run("solve", "--date", day, "--solver", "asap")
    assert solved.exit_code == ExitCode.DONE, solved.stderr
    shown = workspace.run("status", day).stdout
    assert [line.split()[0] for line in shown.splitlines()[:2]] == [
        *("02:00:00+0200", "02:00:00+0100")
    ]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("PLANNER_TIMEZON", "PLANNER_TIMEZONE"),
        ("PLANNER_SLOT_MINUTE", "PLANNER_SLOT_MINUTES"),
        ("PLANNER_OBJECTIV_ENERGY_COST", "PLANNER_OBJECTIVE_ENERGY_COST"),
        (
            "PLANNER_REGION_NORTH_POWER_CAP_KW",
            "PLANNER_REGIONS_NORTH_POWER_CAP_KW",
        ),
        ("PLANNER_LEDGERS", "PLANNER_LEDGER"),
        ("PLANNER_TIMEZONE", None),
        ("PLANNER_REGION", None),
        ("PLANNER_HOME", None),
        ("PLANNER_SOLVE_SEED", None),
    ],
)
def test_a_variable_that_looks_mistyped_is_told_once(
    tmp_path: Path, name: str, meant: str | None
) -> None:
    workspace = a_workspace(tmp_path)
    value = "UTC" if name == "PLANNER_TIMEZONE" else "1"
    told = run_with(workspace, {name: value}, "execute", "--dry-run")
    assert told.exit_code == 0
    said = f"note: variable {name} sets nothing; did you mean {meant}?"
    assert told.stderr.count(said) == (meant is not None)
    assert told.stderr.count("sets nothing") == (meant is not None)

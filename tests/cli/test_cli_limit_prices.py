"""What each limit costs, from ``solve`` to the report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.factories_workspace import DAY, SETTINGS, Folder, a_workspace, carbon_csv

CARBON = {"north": [100.0] + [300.0] * 23}
"""Clean at midnight only: whom it has no room for emits 0.2 kg more a kWh."""

ONE_REGION = SETTINGS[: SETTINGS.index("[regions.south]")].replace(
    "cpu = 4", "cpu = {cpu}"
).replace("power_cap_kw = 10", "power_cap_kw = {cap}") + (
    '[forecasts.carbon]\nprovider = "file"\npath = "carbon.csv"\n'
)


def short_day(folder: Path, *, cpu: float, cap: float) -> Folder:
    """Two jobs of 1 kW for an hour in the first three hours, PUE 1.2."""
    settings = ONE_REGION.replace("{cpu}", f"{cpu:g}").replace("{cap}", f"{cap:g}")
    jobs = [{"id": i, "duration": "1h", "deadline": '"03:00"'} for i in ("a", "b")]
    carbon = carbon_csv(DAY, values=CARBON)
    return a_workspace(folder, *jobs, settings=settings, carbon=carbon)


def dearest(workspace: Folder) -> dict[str, Any]:
    words = ("solve", "--date", DAY, "--solver", "price", "--json")
    found = json.loads(workspace.run(*words).stdout)["shadow_prices"]
    assert found["unit"] == "kg CO2e per unit and hour"
    assert Path(found["file"]).exists()
    first: dict[str, Any] = found["limits"][0]
    assert first["dearest_from"] == f"{DAY}T00:00:00+00:00"
    assert first["dearest_until"] == f"{DAY}T01:00:00+00:00"
    return first


def test_a_cpu_hour_is_worth_what_the_second_job_would_save(tmp_path):
    limit = dearest(short_day(tmp_path, cpu=1, cap=10))
    assert (limit["region"], limit["limit"]) == ("north", "cpu")
    # 1 kWh × 1.2 × 200 g/kWh
    assert limit["kg_per_unit_hour_at_most"] == pytest.approx(0.24, rel=0.05)


def test_a_power_cap_is_priced_at_the_plug(tmp_path):
    limit = dearest(short_day(tmp_path, cpu=10, cap=1.2))
    assert (limit["region"], limit["limit"]) == ("north", "power kW")
    assert limit["kg_per_unit_hour_at_most"] == pytest.approx(0.2, rel=0.05)


def reported(workspace: Folder) -> tuple[dict[str, Any], str]:
    result = workspace.run("report", DAY)
    assert result.exit_code == 0, result.stderr
    document = Path(result.stdout.split()[2])
    return json.loads(document.read_text()), result.stderr


def test_the_report_shows_the_prices_that_the_solver_left(tmp_path):
    workspace = short_day(tmp_path, cpu=1, cap=10)
    limit = dearest(workspace)
    found, _ = reported(workspace)
    shown = found["limit_prices"]["limits"][0]
    assert {key: shown[key] for key in limit} == limit
    assert len(shown["kg_per_unit_hour"]) == 24


def test_the_report_computes_prices_that_no_solver_left(tmp_path):
    workspace = short_day(tmp_path, cpu=1, cap=10)
    words = ("solve", "--date", DAY, "--solver", "exact", "--json")
    assert json.loads(workspace.run(*words).stdout)["shadow_prices"] is None
    found, said = reported(workspace)
    (limit,) = found["limit_prices"]["limits"]
    assert limit["kg_per_unit_hour_at_most"] == pytest.approx(0.24, rel=0.05)
    assert said == ""


def test_a_damaged_file_of_prices_is_said_and_replaced_by_figures_made_anew(tmp_path):
    workspace = short_day(tmp_path, cpu=1, cap=10)
    dearest(workspace)
    (path,) = (workspace.root / "outputs" / "prices").iterdir()
    path.write_bytes(path.read_bytes()[:50])
    found, said = reported(workspace)
    assert "computed anew" in said
    assert found["limit_prices"]["limits"][0]["limit"] == "cpu"


def test_prices_are_told_where_jobs_are_left_out_for_lack_of_room(tmp_path):
    workspace = short_day(tmp_path, cpu=1, cap=10)
    jobs = "".join(
        f'  - {{ id: j{n}, command: ["true"], duration: 1h, power_kw: 1, '
        'resources: { cpu: 1 }, deadline: "03:00" }\n'
        for n in range(5)
    )
    workspace.write("inputs/jobs.yaml", f"jobs:\n{jobs}")
    words = ("solve", "--date", DAY, "--solver", "price", "--json")
    found = json.loads(workspace.run(*words).stdout)
    assert found["unplaced"] == 2
    assert "find no room" in " ".join(found["shadow_prices"]["notes"])


def test_without_a_weight_on_carbon_there_are_no_prices_in_kilograms(tmp_path):
    workspace = short_day(tmp_path, cpu=1, cap=10)
    settings = (workspace.root / "planner.toml").read_text()
    weights = "[objective]\ncarbon_price_per_kg = 0\ndelay_per_hour = 1\n"
    workspace.write("planner.toml", f"{settings}\n{weights}")
    words = ("solve", "--date", DAY, "--solver", "price", "--json")
    assert json.loads(workspace.run(*words).stdout)["shadow_prices"] is None
    found, _ = reported(workspace)
    assert found["limit_prices"] is None

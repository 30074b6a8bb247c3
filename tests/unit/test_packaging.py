"""What a user installs: the wheel, its names, and what starting it costs."""

from __future__ import annotations

import importlib
import json
import os
import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest
from click.testing import CliRunner

from planner.cli import main
from planner.cli.group import COMMANDS
from planner.version import DISTRIBUTION
from tests.processes import with_this_program

ROOT = Path(__file__).parents[2]
PACKAGES = ("forecasts", "inputs", "outputs", "planner", "solvers")
HEAVY = ("pandas", "pyarrow", "pydantic", "ortools", "pulp", "pvlib", "scipy", "rich")


def run(*words: str | Path, environ: dict[str, str] | None = None) -> str:
    """Output of a program that must end well."""
    done = subprocess.run(words, capture_output=True, text=True, env=environ)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, packed from this tree without a network."""
    if not (ROOT / "pyproject.toml").is_file():
        pytest.skip("the tests run outside of a source tree")
    folder = tmp_path_factory.mktemp("dist")
    pack = "import os, sys; from hatchling.cli import hatchling; "
    pack += "os.chdir(sys.argv.pop(1)); sys.exit(hatchling())"
    run(sys.executable, "-c", pack, ROOT, "build", "-t", "wheel", "-d", folder)
    (packed,) = folder.glob("*.whl")
    return packed


def names_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


def test_wheel_holds_five_packages_and_nothing_else(wheel: Path) -> None:
    top = {name.split("/")[0] for name in names_in(wheel)}
    assert top == {*PACKAGES, f"carbon_batch_planner-{version(DISTRIBUTION)}.dist-info"}


def test_wheel_holds_every_file_that_the_packages_need(wheel: Path) -> None:
    names = set(names_in(wheel))
    tracked = run("git", "-C", ROOT, "ls-files", *PACKAGES).split()
    assert names.issuperset(tracked)
    assert names.issuperset(f"{package}/py.typed" for package in PACKAGES)
    assert {"planner/example/planner.toml", "outputs/report/page.css"} <= names


def test_wheel_holds_code_and_known_data_only(wheel: Path) -> None:
    suffixes = {
        Path(name).suffix for name in names_in(wheel) if "dist-info" not in name
    }
    assert suffixes == {".py", ".typed", ".toml", ".yaml", ".csv", ".css"}


def test_distribution_is_not_called_as_its_command_is() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["name"] == DISTRIBUTION != "planner"
    assert project["scripts"] == {"planner": "planner.cli:main"}


def test_every_needed_library_is_locked_with_a_hash() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    locked = (ROOT / "requirements.lock").read_text()
    for line in project["dependencies"]:
        name = re.split(r"[<>=!~\[; ]", line)[0]
        pinned = rf"^{re.escape(name)}==\S+(?: ; .+)? \\\n    --hash=sha256:"
        assert re.search(pinned, locked, re.MULTILINE | re.IGNORECASE), name


def test_wheel_runs_on_its_own(wheel: Path, tmp_path: Path) -> None:
    """Installed beside the libraries that are here; the source tree is out of sight."""
    home = tmp_path / "env"
    venv.create(home, symlinks=True)
    python = home / "bin" / "python"
    paths = {"base": str(home), "platbase": str(home)}
    site = Path(sysconfig.get_path("purelib", "venv", paths))
    # A plain line: .pth files over there, such as that of an editable install, are
    # not looked at.
    here = sysconfig.get_path("purelib")
    (site / "libraries.pth").write_text(f"{here}\n")
    pip = ("-m", "pip", "--python", python, "install", "--no-deps", "--no-index")
    run(sys.executable, *pip, "--quiet", "--force-reinstall", "--no-compile", wheel)
    environ = {"PATH": os.defpath, "HOME": str(tmp_path)}
    planner = home / "bin" / "planner"
    assert run(planner, "--version", environ=environ) == (
        f"planner {version(DISTRIBUTION)}\n"
    )
    found = run(
        python, "-Ic", "import planner; print(planner.__file__)", environ=environ
    )
    assert Path(found.strip()).is_relative_to(site)
    workspace = tmp_path / "workspace"
    run(planner, "init", workspace, environ=environ)
    words = ("--date", "2026-11-23", "--solver", "greedy", "--json")
    plan = json.loads(run(planner, "-C", workspace, "solve", *words, environ=environ))
    assert plan["unplaced"] == 0
    assert plan["jobs"] > 0


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_are_sorted_and_exist(package: str) -> None:
    module = importlib.import_module(package)
    names = getattr(module, "__all__", [])
    assert list(names) == sorted(names)
    assert all(hasattr(module, name) for name in names)
    assert module.__doc__


@pytest.mark.parametrize("package", PACKAGES)
def test_any_package_can_be_imported_first(package: str) -> None:
    reads_all = f"[getattr({package}, n) for n in getattr({package}, '__all__', [])]"
    loaded(f"import {package}; {reads_all}")


@pytest.mark.parametrize(
    "code",
    [
        "import planner",
        "from planner.cli import main; main(['--help'], standalone_mode=False)",
        "from planner.cli import main; main(['solve', '-h'], standalone_mode=False)",
    ],
)
def test_asking_for_help_loads_no_heavy_library(code: str) -> None:
    assert loaded(code) == []


def loaded(code: str) -> list[str]:
    """Heavy libraries that a fresh Python has loaded after some code."""
    then = f"import sys; print(*(n for n in {HEAVY!r} if n in sys.modules))"
    environ = with_this_program()
    output = run(sys.executable, "-c", f"{code}\n{then}", environ=environ)
    return output.splitlines()[-1].split()


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_that_opens_with_its_line(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    assert result.exit_code == 0
    usage, first, *_ = [
        paragraph.strip() for paragraph in result.output.split("\n\n") if paragraph
    ]
    assert usage.startswith(f"Usage: planner {name}")
    assert " ".join(first.split()) == COMMANDS[name]

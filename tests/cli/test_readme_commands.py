"""Every command that the README and the tour show is run, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from planner.cli import main
from planner.cli.app import App
from planner.cli.exit_codes import ExitCode
from planner.cli.group import COMMANDS
from tests.factories_workspace import NOW

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/tour.md")
NOT_RUN = {
    "make plan": "the build of an environment; CI runs it",
    "make test": "it would run itself",
    "pipx install .": "changes the machine; the wheel is tested in test_packaging",
}
BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """Lines of the page's console blocks, without comments."""
    text = (ROOT / page).read_text(encoding="utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    return [line.split("#")[0].strip() for line in lines if line.strip()]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_works_in_its_order(page: str, tmp_path: Path) -> None:
    folder, ran = tmp_path, []
    for line in commands(page):
        if line in NOT_RUN:
            continue
        program, *words = shlex.split(line)
        if program == "cd":
            folder = folder / words[0]
            continue
        assert program == "planner", line
        app = App(clock=lambda: NOW, environment={}, directory=folder)
        result = CliRunner().invoke(main, words, obj=app)
        assert result.exit_code == ExitCode.DONE, f"{line}\n{result.stderr}"
        ran.append(line)
    assert len(ran) >= 7


def test_every_command_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name, summary in COMMANDS.items():
        assert f"| `planner {name}` | {summary[0].lower()}{summary[1:-1]} |" in text


def test_every_exit_code_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for code in ExitCode:
        assert f"| {int(code)} |" in text


@pytest.mark.parametrize(
    "page",
    [
        *PAGES,
        "CONTRIBUTING.md",
        *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md")),
    ],
)
def test_links_between_pages_lead_somewhere(page: str) -> None:
    path = ROOT / page
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{page}: {target}"

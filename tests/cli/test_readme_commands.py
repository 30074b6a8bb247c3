"""Every command that the README and the tour show is run, in their order."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

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
NOT_RUN_LANGUAGES = {
    "crontab": "changes the machine; its commands are tested as words below",
    "toml": "a part of planner.toml; the tour sets the same by the environment",
}
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHELL = re.compile(r"cat > (\S+) <<'EOF'\n(.*?)^EOF\n|([^\n]*)\n", re.M | re.S)
POLICY = re.compile(r"^(asap|threshold|greedy|optimal) +([\d.]+) +(–|[\d.]+ %) +(\d+) ")


def page_text(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def policies(text: str) -> dict[str, tuple[float, float, int]]:
    """Kilograms, saving in percent and unplaced jobs of each row of a table."""
    rows = filter(None, map(POLICY.match, text.splitlines()))
    return {
        row[1]: (float(row[2]), float(row[3].strip(" %–") or 0), int(row[4]))
        for row in rows
    }


def drawn_text(svg: str) -> str:
    """Lines of a terminal's picture, their blanks as they come."""
    lines: dict[str, str] = {}
    for line, piece in re.findall(r"-line-(\d+)\)\">([^<]*)</text>", svg):
        lines[line] = lines.get(line, "") + unescape(piece).replace("\xa0", " ")
    return "\n".join(lines.values())


@dataclass
class Terminal:
    """A folder, and the few words of a shell that the pages use."""

    folder: Path
    ran: list[str] = field(default_factory=list)
    said: str = ""

    def type(self, block: str) -> None:
        """Run the commands of one block."""
        self.said = ""
        for path, content, line in SHELL.findall(block):
            if path:
                (self.folder / path).write_text(content, encoding="utf-8")
            elif line.split("#")[0].strip() not in ("", *NOT_RUN):
                self.command(line)

    def command(self, line: str) -> None:
        """Run one line; a comment may name the exit code that it ends with."""
        code = re.search(r"# exit code (\d+)", line)
        words = shlex.split(line, comments=True)
        environment = dict(word.split("=", 1) for word in words if "=" in word)
        program, *words = [word for word in words if "=" not in word]
        if program == "cd":
            self.folder = self.folder / words[0]
        elif program == "mkdir":
            (self.folder / words[0]).mkdir()
        else:
            assert program == "planner", line
            result = self.planner(words, environment)
            assert result.exit_code == (int(code[1]) if code else 0), result.output
            self.ran.append(line)
            self.said += result.output

    def planner(self, words: list[str], environment: dict[str, str]) -> Result:
        app = App(clock=lambda: NOW, environment=environment, directory=self.folder)
        return CliRunner().invoke(main, words, obj=app)

    def expect(self, shown: str) -> None:
        """Compare a block of output with what the last commands said.

        Kilograms may differ as far as the gap that is asked for lets them: which of
        two such plans is found depends on the number of cores.
        """
        if table := policies(shown):
            said = policies(self.said)
            assert table.keys() == said.keys()
            for name, row in table.items():
                assert row == pytest.approx(said[name], rel=2e-3), name
        else:
            for line in shown.splitlines():
                assert line in self.said.splitlines()


def blocks(page: str) -> Iterator[tuple[str, str]]:
    found = BLOCK.findall(page_text(page))
    assert {language for language, _ in found} <= {
        "console",
        "text",
        *NOT_RUN_LANGUAGES,
    }
    yield from found


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_a_page_works_in_its_order(page: str, tmp_path: Path) -> None:
    terminal = Terminal(tmp_path)
    for language, block in blocks(page):
        if language == "console":
            terminal.type(block)
        elif language == "text":
            terminal.expect(block)
    assert len(terminal.ran) >= 7


@pytest.mark.parametrize("page", PAGES)
def test_lines_of_the_crontab_call_commands_that_exist(page: str) -> None:
    lines = [line for kind, text in blocks(page) for line in text.splitlines()
             if kind == "crontab"]  # fmt: skip
    assert len(lines) == 2
    for line in lines:
        words = line.split(" && ")[1].split(" >> ")[0].split()[1:]
        result = CliRunner().invoke(main, [*words, "--help"])
        assert result.exit_code == ExitCode.DONE, result.output


def test_picture_and_readme_show_the_figures_of_the_tour() -> None:
    (table,) = filter(None, (policies(text) for _, text in blocks("docs/tour.md")))
    shown = drawn_text(page_text("docs/images/terminal.svg"))
    for name, (emissions_kg, saving, _) in table.items():
        row = rf"{name} *{emissions_kg:.2f} *({saving:.1f} %|–)"
        assert re.search(row, shown), f"{row}: run `make picture`"
    readme = " ".join(page_text("README.md").split())
    for name in ("threshold", "greedy", "optimal"):
        assert f"{table[name][1]:.1f} %" in readme, name


def test_every_command_stands_in_the_readme() -> None:
    text = page_text("README.md")
    for name, summary in COMMANDS.items():
        assert f"| `planner {name}` | {summary[0].lower()}{summary[1:-1]} |" in text


def test_every_exit_code_stands_in_the_readme() -> None:
    text = page_text("README.md")
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

"""What ``--help`` says of every command and of the commands below it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from planner.cli import main
from planner.cli.group import COMMANDS


def paths() -> Iterator[tuple[str, ...]]:
    """Every command, by the words that call it."""
    yield ()
    context = click.Context(main)
    for name in COMMANDS:
        yield (name,)
        command = main.get_command(context, name)
        if isinstance(command, click.Group):
            yield from ((name, below) for below in command.list_commands(context))


@pytest.mark.parametrize("words", list(paths()), ids=" ".join)
def test_help_is_whole_sentences_in_80_columns(words: tuple[str, ...]) -> None:
    result = CliRunner().invoke(main, [*words, "--help"], terminal_width=80)
    assert result.exit_code == 0
    cut = [line for line in result.stdout.splitlines() if re.search(r"\w\.\.\.$", line)]
    assert [line for line in cut if not line.startswith("Usage:")] == []
    assert "%" not in result.stdout  # a format is not a form that people type
    long = [line for line in result.stdout.splitlines() if len(line) > 80]
    assert all("[crontab|" in line for line in long)


@pytest.mark.parametrize("name", ["check", "status", "export"])
def test_help_says_which_plan_is_meant_without_one(name: str) -> None:
    result = CliRunner().invoke(main, [name, "--help"])
    meant = "today" if name == "status" else "tomorrow"
    assert f"without it, {meant}." in " ".join(result.stdout.split())

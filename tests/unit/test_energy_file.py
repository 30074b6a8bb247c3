"""What a job may say of its own energy, and what is not believed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from planner.executor.energy_file import MAX_BYTES, read_energy


def told(folder: Path, text: str | bytes) -> tuple[dict[str, object] | None, str]:
    path = folder / "energy.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    figure, problem = read_energy(path)
    return figure, problem or ""


def test_a_figure_is_taken_with_its_units(tmp_path: Path) -> None:
    figure, problem = told(tmp_path, '{"energy_kwh": 1.25, "units": 1200, "by": "me"}')
    assert problem == ""
    assert figure == {
        "kwh": 1.25,
        "label": "reported",
        "source": "the job",
        "units": 1200.0,
    }


def test_no_file_is_no_figure_and_no_problem(tmp_path: Path) -> None:
    assert read_energy(tmp_path / "energy.json") == (None, None)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "Expecting value"),
        ("[1.5]", "no JSON object"),
        ('{"energy_kwh": NaN}', "NaN is no number"),
        ('{"energy_kwh": 1e999}', "between 0 and"),
        ('{"energy_kwh": -0.1}', "between 0 and"),
        ('{"energy_kwh": 3600000000}', "between 0 and"),
        ('{"energy_kwh": "1"}', "energy_kwh is no number"),
        ('{"energy_kwh": true}', "energy_kwh is no number"),
        ('{"kwh": 1}', "no energy_kwh"),
        ('{"energy_kwh": 1, "energy_kwh": 2}', "twice"),
        ('{"energy_kwh": 1, "units": -1}', "units is not between"),
        ("[" * 30_000, "nested too deep"),
        (" " * (MAX_BYTES + 1), "more than"),
        (b'{"energy_kwh": 1, "x": "\xff"}', "unusable"),
    ],
)
def test_what_is_no_figure_is_refused_with_a_reason(
    tmp_path: Path, text: str | bytes, why: str
) -> None:
    figure, problem = told(tmp_path, text)
    assert figure is None
    assert why in problem


def test_a_link_and_a_pipe_are_neither_followed_nor_waited_for(tmp_path: Path) -> None:
    elsewhere = tmp_path / "secret.json"
    elsewhere.write_text('{"energy_kwh": 1}')
    link, pipe = tmp_path / "link.json", tmp_path / "pipe.json"
    link.symlink_to(elsewhere)
    os.mkfifo(pipe)
    for path in (link, pipe):
        figure, problem = read_energy(path)
        assert figure is None
        assert problem

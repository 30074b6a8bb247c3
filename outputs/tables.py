"""Tables for the terminal; nothing else in the house knows rich.

Every function returns something that a rich console can print; ``as_text`` turns
it into plain characters for pipes and files.
"""

from __future__ import annotations

import io

from rich import box
from rich.cells import cell_len
from rich.console import (
    Console,
    ConsoleOptions,
    Group,
    RenderableType,
    RenderResult,
)
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from inputs.timegrid import TimeGrid
from outputs.comparison import Comparison
from outputs.savings import SideBySide
from outputs.sheets import Sheet, policies_sheet, side_sheet
from outputs.strips import ASCII, BLOCKS, NAME_WIDTH, day_strips, hidden_regions, ruler
from outputs.wording import counted, day, printable

PLAN_STYLE = "bold"
DIM_STYLE = "dim"
LOAD_STYLE = "cyan"


def result(comparison: Comparison, *, ascii_only: bool = False) -> RenderableType:
    """What a user wants to see when a day is planned: policies, then the day.

    Parameters
    ----------
    ascii_only
        Whether the terminal cannot show block characters.
    """
    strips = _Strips(comparison, ascii_only=ascii_only)
    return Group(headline(comparison), "", policies(comparison), "", strips)


def headline(comparison: Comparison) -> Text:
    """Which day of whom: date, zone, length of the day, jobs, regions."""
    grid = comparison.grid
    parts = [
        f"{day(grid.date)} · {grid.timezone}{_odd_day(grid)}",
        counted(comparison.n_jobs, "job"),
        counted(len(comparison.regions), "region"),
    ]
    return Text(" · ".join(parts), style=PLAN_STYLE)


def policies(comparison: Comparison) -> RenderableType:
    """The main table: emissions, planned saving, unplaced, seconds, gap."""
    return rich_table(policies_sheet(comparison), least={1: 7, 2: 14})


def side_by_side(sides: SideBySide) -> RenderableType:
    """Two policies by region or team."""
    return rich_table(side_sheet(sides))


class _Strips:
    """Intensity and planned load of the busiest regions, a line each."""

    def __init__(self, comparison: Comparison, *, ascii_only: bool) -> None:
        self._ruler = ruler(comparison.grid)
        self._more = hidden_regions(comparison)
        self._strips = day_strips(comparison, blocks=ASCII if ascii_only else BLOCKS)

    def __rich_console__(self, _: Console, options: ConsoleOptions) -> RenderResult:
        wide = self._beside()
        yield wide if _width(wide) <= options.max_width else self._below()

    def _beside(self) -> Text:
        """Name before and figures behind each strip."""
        indent = " " * (NAME_WIDTH + 1)
        text = Text(no_wrap=True)
        text.append(f"{indent}{self._ruler}", style=DIM_STYLE)
        for strip in self._strips:
            text.append(f"\n{strip.name:<{NAME_WIDTH + 1}}", style=PLAN_STYLE)
            text.append(strip.intensity, style=DIM_STYLE)
            text.append(f" {strip.intensity_range}\n{indent}")
            text.append(strip.load, style=LOAD_STYLE)
            text.append(f" {strip.peak}")
        return text.append("" if self._more is None else f"\n{indent}{self._more}")

    def _below(self) -> Text:
        """Each strip below its name and figures, for a narrow terminal."""
        text = Text(no_wrap=True)
        text.append(self._ruler, style=DIM_STYLE)
        for strip in self._strips:
            text.append(f"\n{strip.name}", style=PLAN_STYLE)
            text.append(f" {strip.intensity_range}, {strip.peak}\n")
            text.append(f"{strip.intensity}\n", style=DIM_STYLE)
            text.append(strip.load, style=LOAD_STYLE)
        return text.append("" if self._more is None else f"\n{self._more}")


def _width(text: Text) -> int:
    return max(map(cell_len, text.plain.splitlines()))


def rich_table(sheet: Sheet, *, least: dict[int, int] | None = None) -> RenderableType:
    """Any sheet as a quiet table: one rule below the headings, no frame.

    Parameters
    ----------
    sheet
        What to show.
    least
        Least width of some columns of figures; others are as narrow as the
        longest cell or word of the heading allows.
    """
    table = Table(
        title=sheet.title or None,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 0, 0, 1),
        show_edge=False,
    )
    for i, name in enumerate(sheet.columns):
        words = i in sheet.text_columns
        table.add_column(
            Text(printable(name), justify="left" if words else "right"),
            justify="left" if words else "right",
            width=None if words else max(_narrow(sheet, i), (least or {}).get(i, 0)),
            no_wrap=words,
            overflow="ellipsis" if words else "fold",
        )
    for i, row in enumerate(sheet.rows):
        style = PLAN_STYLE if i in sheet.strong else None
        table.add_row(*(Text(printable(cell)) for cell in row), style=style)
    notes = [Text(printable(note), style=DIM_STYLE) for note in sheet.notes]
    return Group(table, *(Padding(note, (0, 0)) for note in notes))


def as_text(renderable: RenderableType, *, width: int = 80) -> str:
    """Plain characters without colour or trailing blanks."""
    target = io.StringIO()
    console = Console(
        file=target,
        width=width,
        color_system=None,
        force_terminal=False,
        highlight=False,
    )
    console.print(renderable)
    return "\n".join(line.rstrip() for line in target.getvalue().splitlines()) + "\n"


def _narrow(sheet: Sheet, column: int) -> int:
    """Width of the longest cell or word of the heading, which then wraps."""
    cells = [row[column] for row in sheet.rows]
    words = sheet.columns[column].split()
    return max(len(text) for text in (*cells, *words))


def _odd_day(grid: TimeGrid) -> str:
    hours = grid.n_slots * grid.slot_hours
    return "" if hours == 24 else f" · {hours:g} hours"

"""Draw docs/images/terminal.svg: what ``planner solve`` prints on the example day.

    make picture

The example workspace is made in a temporary folder and really planned; the picture
is the table that a terminal shows, exported by rich.
"""

from __future__ import annotations

import io
import re
import time
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from inputs.timegrid import resolve_date
from inputs.workspace import load_workspace
from outputs.tables import result
from planner.comparing import compare
from planner.example import copy_example
from planner.pipeline import SolveRequest, solve_day
from planner.stopwatch import Stopwatch
from solvers.solution import SolveOptions

PICTURE = Path(__file__).with_name("terminal.svg")
NOW = datetime(2026, 11, 21, 20, tzinfo=UTC)
"""The evening of the tour, so that both show the same figures."""


def main() -> None:
    """Plan the example day and export its table."""
    with TemporaryDirectory() as name:
        copy_example(Path(name))
        workspace = load_workspace(Path(name), environment={})
        zone = workspace.settings.planner.timezone
        request = SolveRequest(
            workspace=workspace,
            day=resolve_date("tomorrow", now=NOW, timezone=zone),
            solver="auto",
            options=SolveOptions(threads=2),
        )
        watch = Stopwatch(time.perf_counter)
        outcome = solve_day(request, now=NOW, environment={}, watch=watch)
    console = Console(record=True, width=80, file=io.StringIO(), force_terminal=True)
    console.print("[bold]$ planner solve --date tomorrow[/bold]\n", highlight=False)
    console.print(result(compare(outcome.day, outcome.run, outcome.baselines)))
    svg = console.export_svg(title="planner", unique_id="planner")
    PICTURE.write_text(_without_outside_fonts(svg), encoding="utf-8")


def _without_outside_fonts(svg: str) -> str:
    """The picture must not fetch anything; the reader's own monospace font will do."""
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    return svg.replace("Fira Code,", "")


if __name__ == "__main__":
    main()

"""RESULTS.md from the kept results: one section for each kind of part."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.awkward import AWKWARD
from benchmarks.measuring import Row
from benchmarks.parts import RELAXED_GAP, all_parts
from benchmarks.results import Result
from benchmarks.whole_command import STAGES

HEAD = """# Measured

Written by `python -m benchmarks`; see [README.md](README.md). Each part says when it
was measured, on which revision and how busy the machine was. A gap is proven: no plan
for the day can be better by more.
"""

TITLES = {
    "size": "## Solver by number of jobs",
    "awkward": "## Awkward days",
    "engine": "## Side by side with general engines",
    "relaxation": "## Against the LP relaxation alone",
    "command": "## The whole command",
}
WORDS = {
    "size": "The synthetic day: 3 regions, 96 slots, 2 resources. *Asked* is the gap "
    "to prove and in how many seconds; *proven after* is when it was. Kernels are "
    "loaded before the clock starts. Memory is of the solver's process; an engine's "
    "own process comes on top.",
    "awkward": "None may crash, cycle, break a limit or lose the bound.",
    "engine": "The same day for all, each in a process of its own, one after another "
    "in the same run; plans priced by `solvers.evaluate`. *Worse by* compares with the "
    "best plan of the table.",
    "relaxation": "HiGHS solving the exact model with jobs that may be split, which "
    "gives a bound and no plan, against the price engine until it has a plan and "
    f"a proven gap of {100 * RELAXED_GAP:g} %.",
    "command": "`planner solve` from a Parquet manifest to the checked plan file, "
    "three regions, all four policies; seconds of each stage.",
}
SIZE_HEADS = (
    *("jobs", "solver", "asked", "proven after s", "gap", "s", "CPU s", "µs a job"),
    *("peak GB", "engine GB", "unplaced"),
)
AWKWARD_HEADS = (
    *("day", "jobs", "status", "gap", "s", "unplaced", "broken limits"),
    "bound kept",
)
ENGINE_HEADS = ("jobs", "solver", "objective", "worse by", "bound", "gap", "s")
RELAXED_HEADS = ("jobs", "solver", "s", "times longer", "bound", "gap")
COMMAND_HEADS = ("jobs", "unplaced", "gap", *STAGES, "whole s", "peak GB")


def render(results: Mapping[str, Result]) -> str:
    """The whole document; parts that were not run are named."""
    parts = all_parts()
    machines = dict.fromkeys(result.machine for result in results.values())
    blocks = [HEAD, *(f"Machine: {machine}." for machine in machines)]
    for kind, title in TITLES.items():
        names = [name for name, part in parts.items() if part.kind == kind]
        found = [results[name] for name in names if name in results]
        blocks += [title, WORDS[kind]]
        blocks += _tables(kind, found)
        if missing := [f"`{name}`" for name in names if name not in results]:
            blocks.append(f"Not measured yet: {', '.join(missing)}.")
        blocks.append(_origins(found))
    blocks.append(
        "Recorded job traces and other tools on the same days: "
        "[TRACES.md](TRACES.md), [docs/comparison.md](../docs/comparison.md)."
    )
    return "\n\n".join(block.strip() for block in blocks if block) + "\n"


def _tables(kind: str, found: Sequence[Result]) -> Iterable[str]:
    if not found:
        return
    if kind == "engine":  # each size has a best plan of its own
        for result in found:
            yield _table(ENGINE_HEADS, _engine_rows(result.rows))
        return
    rows = [row for result in found for row in result.rows]
    if kind == "relaxation":
        yield _table(RELAXED_HEADS, _relaxed_rows(rows))
        return
    heads, cells = {
        "size": (SIZE_HEADS, _size_cells),
        "awkward": (AWKWARD_HEADS, _awkward_cells),
        "command": (COMMAND_HEADS, _command_cells),
    }[kind]
    yield _table(heads, [_failed(row) or cells(row) for row in rows])


def _size_cells(row: Row) -> list[str]:
    asked = f"{row['asked_gap']:g}"
    after = row["reached"].get(asked)
    return [
        f"{row['jobs']:,}",
        row["solver"],
        f"{_percent(row['asked_gap'])} in {row['asked_s']:g} s",
        "not" if after is None else f"{after:.1f}",
        _percent(row["gap"]),
        f"{row['seconds']:.1f}",
        f"{row['cpu_seconds']:.1f}",
        f"{1e6 * row['seconds'] / max(row['jobs'], 1):,.0f}",
        f"{row['peak_gb']:.2f}",
        f"{row['children_gb']:.2f}",
        f"{row['unplaced']:,}",
    ]


def _awkward_cells(row: Row) -> list[str]:
    return [
        AWKWARD[row["day"]],
        f"{row['jobs']:,}",
        row["status"],
        _percent(row["gap"]),
        f"{row['seconds']:.1f}",
        f"{row['unplaced']:,}",
        f"{row['violations']:,}",
        "yes" if row["gap"] is not None and row["gap"] >= -1e-9 else "**no**",
    ]


def _engine_rows(rows: Sequence[Row]) -> list[list[str]]:
    known = [row["objective"] for row in rows if row.get("objective") is not None]
    best = min(known, default=0.0)
    return [_failed(row) or _engine_cells(row, best) for row in rows]


def _engine_cells(row: Row, best: float) -> list[str]:
    worse = (row["objective"] - best) / abs(best) if best else 0.0
    return [
        f"{row['jobs']:,}",
        row["solver"],
        f"{row['objective']:.4f}",
        _percent(worse),
        "–" if row["bound"] is None else f"{row['bound']:.4f}",
        _percent(row["gap"]),
        f"{row['seconds']:.1f}",
    ]


def _relaxed_rows(rows: Sequence[Row]) -> list[list[str]]:
    ours = [_time_to_gap(row) for row in rows if "reached" in row]
    quickest = min((s for s in ours if s), default=None)
    return [_failed(row) or _relaxed_cells(row, quickest) for row in rows]


def _relaxed_cells(row: Row, quickest: float | None) -> list[str]:
    seconds = _time_to_gap(row) or row["seconds"]
    ratio = "–" if quickest is None else f"{seconds / quickest:,.0f}"
    return [
        f"{row['jobs']:,}",
        row["solver"] + (f" ({row['outcome']})" if "outcome" in row else ""),
        f"{seconds:.1f}",
        ratio,
        "–" if row["bound"] is None else f"{row['bound']:.4f}",
        _percent(row.get("gap")),
    ]


def _time_to_gap(row: Row) -> float | None:
    seconds: float | None = row.get("reached", {}).get(f"{RELAXED_GAP:g}")
    return seconds


def _command_cells(row: Row) -> list[str]:
    return [
        f"{row['jobs']:,}",
        f"{row['unplaced']:,}",
        _percent(row["gap"]),
        *(f"{row['stages'][name]:.1f}" for name in STAGES),
        f"{row['seconds']:.1f}",
        f"{row['peak_gb']:.2f}",
    ]


def _failed(row: Row) -> list[str] | None:
    if "error" not in row:
        return None
    what = row.get("day") or row.get("solver") or ""
    return [f"{row['jobs']:,}", what, f"**failed**: {row['error']}"]


def _origins(results: Sequence[Result]) -> str:
    """When each part was measured, on what, and how busy the machine was."""
    lines = [
        f"`{r.part}`: {r.measured_at}, revision {r.revision}, {r.threads} threads, "
        f"load {r.load[0]:.1f} before and {r.load[1]:.1f} after."
        for r in results
    ]
    return f"<sub>{'<br>'.join(lines)}</sub>" if lines else ""


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for row in rows:
        filled = [*row, *[""] * (len(heads) - len(row))]
        lines.append("| " + " | ".join(filled) + " |")
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{100 * value:.4f}".rstrip("0").rstrip(".") + " %"

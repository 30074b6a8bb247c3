"""Measure everything and write RESULTS.md, whole or part by part.

    python -m benchmarks                      all parts, then RESULTS.md
    python -m benchmarks size-1000 awkward    some parts again, then RESULTS.md
    python -m benchmarks --quick              tiny versions, to try the code
    python -m benchmarks --render             RESULTS.md from what was measured
    python -m benchmarks --list               parts and the most minutes they take

Results are kept in ``benchmarks/work/results``, one file a part.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from benchmarks.measuring import Row
from benchmarks.parts import Part, Spec, all_parts
from benchmarks.rendering import render
from benchmarks.results import Result, keep, kept, machine, now, revision
from benchmarks.rows import RowError, in_own_process

HERE = Path(__file__).resolve().parent


def main() -> None:
    """Run the parts that were asked for and write the tables."""
    arguments = _arguments()
    parts, quick = all_parts(), arguments.quick
    chosen = arguments.parts or list(parts)
    if unknown := [name for name in chosen if name not in parts]:
        sys.exit(f"no part is called {unknown[0]}; --list names them")
    if arguments.list:
        for name in chosen:
            print(f"{parts[name].most_minutes(quick=quick):6.1f} min  {name}")
        return
    folder = arguments.work / ("results-quick" if quick else "results")
    for name in () if arguments.render else chosen:
        keep(_run(parts[name], quick=quick, threads=arguments.threads), folder)
    out = arguments.out or (folder / "RESULTS.md" if quick else HERE / "RESULTS.md")
    out.write_text(render(kept(folder)), encoding="utf-8")
    print(out)


def _run(part: Part, *, quick: bool, threads: int) -> Result:
    """Measure the rows of a part, one after another."""
    before = os.getloadavg()[0]
    rows = []
    for spec in part.quick if quick else part.rows:
        began = time.perf_counter()
        rows.append(_row(spec, threads=threads))
        print(_said(part, spec, rows[-1], time.perf_counter() - began), flush=True)
    return Result(
        part=part.name,
        kind=part.kind,
        measured_at=now(),
        revision=revision(),
        machine=machine(),
        load=(before, os.getloadavg()[0]),
        threads=threads,
        rows=rows,
    )


def _row(spec: Spec, *, threads: int) -> Row:
    try:
        return in_own_process(spec, threads=threads)
    except RowError as error:
        return {**spec, "error": str(error)}


def _said(part: Part, spec: Spec, row: Row, seconds: float) -> str:
    who = spec.get("day") or spec.get("solver") or ""
    gap = row.get("gap")
    found = row.get("error") or ("" if gap is None else f"gap {100 * gap:.4f} %")
    return f"{part.name:>18} {who:>18} {spec['jobs']:>10,} {seconds:8.1f} s  {found}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()

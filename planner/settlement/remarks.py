"""What a reader of a settlement must know: missing hours, doubts, what is assumed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from planner.executor.energy import ASSUMED, LABELS
from planner.settlement.settled import Settled
from planner.settlement.stand_ins import Origin
from planner.settlement.work import Ending


def missing_hours(settled: Settled) -> list[dict[str, Any]]:
    """Hours whose actual carbon value is to come, and what stands in."""
    values, found = settled.values, []
    for r, name in enumerate(settled.regions):
        origin = values.carbon_origin[r]
        edges = np.flatnonzero(np.diff(origin, prepend=-1, append=-1))
        for first, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if origin[first] != Origin.ACTUAL:
                found.append(
                    {
                        "region": name,
                        "start": values.grid.slot_start(first).isoformat(),
                        "end": values.grid.slot_start(end).isoformat(),
                        "stand_in": Origin(int(origin[first])).name.lower(),
                    }
                )
    return found


def notes_of(settled: Settled, rows: pa.Table) -> list[str]:
    """Sentences about segments, times, values and energy, in this order."""
    return [
        *_about_states(rows),
        *_about_times(rows),
        *_about_values(settled),
        *_about_energy(settled),
    ]


def _about_states(rows: pa.Table) -> Iterator[str]:
    told = {
        Ending.OPEN: "not settled yet: {} in state {}",
        Ending.NOT_RUN: "never ran, and counts nowhere: {} {}",
    }
    for ending, sentence in told.items():
        of = rows.filter(pc.equal(rows["ending"], ending.value))
        for state, number in sorted(Counter(of["state"].to_pylist()).items()):
            yield sentence.format(number, state)


def _about_times(rows: pa.Table) -> Iterator[str]:
    found = Counter(rows["times"].to_pylist())
    if found["executor"]:
        yield (
            f"{found['executor']} ran on a clock that contradicts the executor's: "
            "they count from when they were sent"
        )
    if found["assumed"]:
        yield f"{found['assumed']} are taken to have run as long as planned"


def _about_values(settled: Settled) -> Iterator[str]:
    without = {use.series for use in settled.values.sources if use.source == "nothing"}
    if "solar" in without:
        yield "on-site solar is as forecast: nobody measured it"
    if "carbon" in without:
        yield (
            "no actual carbon values are known for some regions; name a file in "
            "[settlement.carbon] or keep the history of a service"
        )


def _about_energy(settled: Settled) -> Iterator[str]:
    assumed = int((settled.work.metered.label == LABELS.index(ASSUMED)).sum())
    if assumed:
        yield (
            f"energy of {assumed} attempts is assumed: planned power for as long as "
            "they ran"
        )

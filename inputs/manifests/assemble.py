"""From checked drafts to the jobs of a run: defaults filled in, arrays spread out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs.jobs import (
    NO_INSTANT,
    NO_REGION,
    BoolArray,
    FloatArray,
    Int16Array,
    Int64Array,
    Jobs,
)
from inputs.manifests.draft import Draft
from inputs.manifests.kinds import EARLIEST
from inputs.manifests.specs import spec_json
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid

_US_PER_H = 3_600_000_000
_NOT_COLUMNS = ("resource_names", "source_paths")


def to_jobs(draft: Draft, workspace: Workspace, grid: TimeGrid) -> Jobs:
    """Jobs of one manifest without problems, ``count`` spread out."""
    names = resource_names(workspace)
    demand = _demand(draft, names)
    duration = draft.ints("duration", 1)
    earliest = draft.ints("earliest", NO_INSTANT)
    deadline = _deadline(draft, earliest, grid)
    allowed = _allowed(draft, demand, names, workspace)
    jobs = Jobs(
        ids=draft.strings("id"),
        duration_us=duration,
        power_kw=_power(draft, duration),
        resource_names=names,
        demand=demand,
        earliest_us=earliest,
        deadline_us=deadline,
        allowed=allowed,
        home=_home(draft, allowed, workspace),
        data_gb=draft.floats("data_gb", 0.0),
        weight=draft.floats("weight", 1.0),
        pin_region=_region_index(draft.strings("pin.region"), workspace),
        pin_start_us=_pinned_start(draft, earliest, grid),
        team=draft.strings("team"),
        executor=draft.strings("executor"),
        command=draft.lists("command"),
        spec=spec_json(draft, deadline),
        source=np.zeros(draft.n_jobs, dtype=np.int32),
        source_paths=(draft.path,),
    )
    return _spread_out(jobs, draft.ints("count", 1))


def concatenate(parts: Sequence[Jobs], workspace: Workspace) -> Jobs:
    """Jobs of all manifests, in order of the manifests."""
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return _no_jobs(workspace)
    columns: dict[str, Any] = {}
    for field in fields(Jobs):
        if field.name in _NOT_COLUMNS:
            continue
        values = [getattr(part, field.name) for part in parts]
        if isinstance(values[0], np.ndarray):
            columns[field.name] = np.concatenate(values)
        else:
            columns[field.name] = pa.concat_arrays(values)
    sizes = [len(part) for part in parts]
    columns["source"] = np.repeat(np.arange(len(parts), dtype=np.int32), sizes)
    paths = tuple(path for part in parts for path in part.source_paths)
    names = parts[0].resource_names
    return Jobs(resource_names=names, source_paths=paths, **columns)


def resource_names(workspace: Workspace) -> tuple[str, ...]:
    """Names of all resources that any region has, sorted."""
    return tuple(sorted({k for region in workspace.regions for k in region.capacity}))


def _no_jobs(workspace: Workspace) -> Jobs:
    n_regions = len(workspace.regions)
    names = resource_names(workspace)
    none = np.empty(0)
    text = pa.array([], pa.string())
    whole, region = none.astype(np.int64), none.astype(np.int16)
    return Jobs(
        ids=text,
        duration_us=whole,
        power_kw=none,
        resource_names=names,
        demand=np.empty((0, len(names))),
        earliest_us=whole,
        deadline_us=whole,
        allowed=np.empty((0, n_regions), dtype=np.bool_),
        home=region,
        data_gb=none,
        weight=none,
        pin_region=region,
        pin_start_us=whole,
        team=text,
        executor=text,
        command=pa.array([], pa.list_(pa.string())),
        spec=text,
        source=none.astype(np.int32),
        source_paths=(),
    )


def _demand(draft: Draft, names: tuple[str, ...]) -> FloatArray:
    demand = np.zeros((draft.n_jobs, len(names)))
    if (entries := draft.maps.get("resources")) is not None and len(entries.rows):
        column = pc.index_in(entries.keys, value_set=pa.array(names, pa.string()))
        demand[entries.rows, column.to_numpy()] = entries.values.to_numpy()
    return demand


def _power(draft: Draft, duration_us: Int64Array) -> FloatArray:
    from_energy = draft.floats("energy_kwh", np.nan) / (duration_us / _US_PER_H)
    given = draft.floats("power_kw", np.nan)
    return np.where(np.isnan(given), from_energy, given)


def _deadline(draft: Draft, earliest: Int64Array, grid: TimeGrid) -> Int64Array:
    delay = draft.ints("max_delay", -1)
    counted_from = np.where(earliest == NO_INSTANT, grid.start_us, earliest)
    given = draft.ints("deadline", NO_INSTANT)
    return np.where(delay >= 0, counted_from + delay, given)


def _pinned_start(draft: Draft, earliest: Int64Array, grid: TimeGrid) -> Int64Array:
    """Pinned starts; the word ``earliest`` means the first slot border from then on."""
    start = draft.ints("pin.start", NO_INSTANT)
    after = np.maximum(earliest, grid.start_us) - grid.start_us
    border = grid.start_us + -(-after // grid.step_us) * grid.step_us
    return np.where(start == EARLIEST, border, start)


def _allowed(
    draft: Draft, demand: FloatArray, names: tuple[str, ...], workspace: Workspace
) -> BoolArray:
    lists = draft.lists("regions")
    owned = np.array(
        [
            [region.capacity.get(k, 0.0) > 0 for k in names]
            for region in workspace.regions
        ],
        dtype=np.bool_,
    ).reshape(len(workspace.regions), len(names))
    lacking = (demand > 0).astype(np.float32) @ (~owned).T.astype(np.float32)
    allowed: BoolArray = lacking == 0
    given = lists.is_valid().to_numpy(zero_copy_only=False)
    allowed[given] = False
    rows = pc.list_parent_indices(lists).to_numpy()
    allowed[rows, _region_index(lists.flatten(), workspace)] = True
    return allowed


def _home(draft: Draft, allowed: BoolArray, workspace: Workspace) -> Int16Array:
    """Home regions: given, else first of ``regions``, else first allowed, else 0."""
    home = _region_index(draft.strings("home_region"), workspace)
    lists = draft.lists("regions")
    named = lists.is_valid().to_numpy(zero_copy_only=False)
    first = np.full(len(home), NO_REGION)
    if named.any():
        chosen = pc.list_element(lists.drop_null(), 0)
        first[named] = _region_index(chosen, workspace)
    home = np.where(home == NO_REGION, first, home)
    return np.where(home == NO_REGION, allowed.argmax(axis=1), home).astype(np.int16)


def _region_index(names: pa.Array, workspace: Workspace) -> Int16Array:
    regions = pa.array([region.name for region in workspace.regions], pa.string())
    index = pc.index_in(names, value_set=regions).fill_null(int(NO_REGION))
    codes: Int16Array = index.to_numpy(zero_copy_only=False).astype(np.int16)
    return codes


def _spread_out(jobs: Jobs, count: Int64Array) -> Jobs:
    """Arrays of jobs in full: ``id`` becomes ``id[0]`` … ``id[n-1]``."""
    if (count == 1).all():
        return jobs
    rows = np.repeat(np.arange(len(count)), count)
    starts = np.cumsum(count) - count
    number = np.arange(len(rows)) - starts[rows]
    take = pa.array(rows)
    columns: dict[str, Any] = {}
    for field in fields(Jobs):
        values = getattr(jobs, field.name)
        if field.name not in _NOT_COLUMNS:
            array = isinstance(values, np.ndarray)
            columns[field.name] = values[rows] if array else values.take(take)
    texts = pa.array(number).cast(pa.string())
    spread = pc.binary_join_element_wise(columns["ids"], "[", texts, "]", "")
    columns["ids"] = pc.if_else(pa.array(count[rows] > 1), spread, columns["ids"])
    return replace(jobs, **columns)

"""What the fields of a job must be to one another; each rule stands here once.

Every check looks at whole columns of a draft and reports the rows that break it.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from inputs.findings import nearest, quoted
from inputs.jobs import NO_INSTANT, BoolArray, Int64Array
from inputs.manifests.draft import Draft
from inputs.manifests.fields import FIELDS, MAX_JOBS
from inputs.manifests.kinds import EARLIEST
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid, from_us

NOT_YET = "not supported yet"


def check(draft: Draft, workspace: Workspace, grid: TimeGrid) -> None:
    """Report everything that is wrong with the jobs of one manifest."""
    _required(draft)
    _one_of(draft, "power_kw", "energy_kwh")
    _not_both(draft, "deadline", "max_delay")
    _what_runs(draft)
    _unique_ids(draft)
    _window_order(draft, grid)
    _known_regions(draft, workspace)
    _pin(draft, grid)
    _known_resources(draft, workspace)
    _number_of_jobs(draft)
    _later(draft)
    _shapes(draft)


def _required(draft: Draft) -> None:
    for name in ("id", "duration"):
        _missing(draft, ~draft.given(name), name)


def _missing(
    draft: Draft, rows: BoolArray, field: str, hint: str | None = None
) -> None:
    if draft.tabular and draft.n_jobs and rows.all():
        draft.findings.add(
            line=1, field=field, found="no such column", expected="one", hint=hint
        )
        return
    expected = getattr(FIELDS.get(field), "kind", None)
    draft.report(
        rows,
        field,
        found="nothing",
        expected=expected.expected if expected else "one of them",
        hint=hint,
    )


def _one_of(draft: Draft, one: str, other: str) -> None:
    neither = ~(draft.given(one) | draft.given(other)) & ~_profile(draft)
    _missing(draft, neither, one, f"or give {other}")
    _not_both(draft, one, other)


def _profile(draft: Draft) -> BoolArray:
    return draft.given("power_profile")


def _not_both(draft: Draft, one: str, other: str) -> None:
    draft.report(
        draft.given(one) & draft.given(other),
        one,
        found=f"{one} and {other}",
        expected="one of the two",
    )


def _what_runs(draft: Draft) -> None:
    nothing = ~(draft.given("command") | draft.given("image"))
    _missing(draft, nothing, "command", "or give an image")


def _unique_ids(draft: Draft) -> None:
    ids = draft.strings("id")
    if pc.count_distinct(ids).as_py() == len(ids) - ids.null_count:
        return
    codes = ids.dictionary_encode().indices.fill_null(-1).to_numpy()
    first = np.full(codes.max() + 1, len(codes), dtype=np.int64)
    rows = np.arange(len(codes))
    np.minimum.at(first, codes[codes >= 0], rows[codes >= 0])
    again = (codes >= 0) & (rows > first[codes])

    def before(row: int) -> str:
        line = draft.locate(int(first[codes[row]]), "id")
        place = draft.path if line is None else f"{draft.path}:{line}"
        return f"the id once in the workspace (first at {place})"

    draft.report(
        again, "id", found="the id a second time", expected=before, hint="rename one"
    )


def _window_order(draft: Draft, grid: TimeGrid) -> None:
    earliest = draft.ints("earliest", NO_INSTANT)
    deadline = draft.ints("deadline", NO_INSTANT)
    wrong = (earliest != NO_INSTANT) & (deadline != NO_INSTANT) & (deadline <= earliest)

    def shown(instants: Int64Array, row: int) -> str:
        return from_us(int(instants[row])).isoformat(timespec="minutes")

    draft.report(
        wrong,
        "deadline",
        found=lambda row: shown(deadline, row),
        expected=lambda row: f"an instant after earliest {shown(earliest, row)}",
        hint="move one of them",
    )


def _known_regions(draft: Draft, workspace: Workspace) -> None:
    names = [region.name for region in workspace.regions]
    for field in ("home_region", "pin.region"):
        values = draft.strings(field)
        unknown = _outside(values, names)
        _refuse_region(draft, unknown, field, values, names)
    lists = draft.lists("regions")
    flat = lists.flatten()
    rows = pc.list_parent_indices(lists).to_numpy()
    outside = np.flatnonzero(_outside(flat, names))
    row_of = dict(zip(rows[outside][::-1], outside[::-1], strict=True))
    mask = np.zeros(draft.n_jobs, dtype=np.bool_)
    mask[list(row_of)] = True
    at = pa.array(np.asarray([row_of[row] for row in sorted(row_of)], dtype=np.int64))
    first = np.flatnonzero(mask)
    wrong = dict(zip(first.tolist(), flat.take(at).to_pylist(), strict=True))
    draft.report(
        mask,
        "regions",
        found=lambda row: quoted(wrong[row]),
        expected="a region of planner.toml",
        hint=lambda row: nearest(wrong[row], names),
    )
    empty = pc.equal(pc.list_value_length(lists), 0).fill_null(False)
    draft.report(
        empty.to_numpy(zero_copy_only=False),
        "regions",
        found="an empty list",
        expected="at least one region",
        hint="leave it out to allow every region that has the resources",
    )


def _outside(values: pa.Array, names: list[str]) -> BoolArray:
    inside = pc.is_in(values, value_set=pa.array([*names, None], pa.string()))
    mask: npt.NDArray[np.bool_] = ~inside.to_numpy(zero_copy_only=False)
    return mask


def _refuse_region(
    draft: Draft, rows: BoolArray, field: str, values: pa.Array, names: list[str]
) -> None:
    draft.report(
        rows,
        field,
        found=lambda row: quoted(values[row].as_py()),
        expected="a region of planner.toml",
        hint=lambda row: nearest(values[row].as_py(), names),
    )


def _pin(draft: Draft, grid: TimeGrid) -> None:
    start = draft.ints("pin.start", NO_INSTANT)
    fixed = (start != NO_INSTANT) & (start != EARLIEST)
    step = grid.step_us
    draft.report(
        fixed & ((start - grid.start_us) % step != 0),
        "pin.start",
        found=lambda row: from_us(int(start[row])).isoformat(timespec="seconds"),
        expected=f"the start of a slot of {step // 60_000_000} min",
    )
    pinned, allowed = draft.strings("pin.region"), draft.lists("regions")
    both = pc.and_(pinned.is_valid(), allowed.is_valid())
    rows = np.flatnonzero(both.to_numpy(zero_copy_only=False))
    if not len(rows):
        return
    parents = pc.list_parent_indices(allowed)
    same = pc.equal(pinned.take(parents), allowed.flatten()).fill_null(False)
    fits = np.zeros(draft.n_jobs, dtype=np.bool_)
    fits[parents.to_numpy()[same.to_numpy(zero_copy_only=False)]] = True
    outside = both.to_numpy(zero_copy_only=False) & ~fits
    draft.report(
        outside,
        "pin.region",
        found=lambda row: quoted(pinned[row].as_py()),
        expected="one of the job's own regions",
    )


def _known_resources(draft: Draft, workspace: Workspace) -> None:
    if "resources" not in draft.maps:
        return
    names = {name for region in workspace.regions for name in region.capacity}
    entries = draft.maps["resources"]
    for name in pc.unique(entries.keys).to_pylist():
        if name in names:
            continue
        mask = np.zeros(draft.n_jobs, dtype=np.bool_)
        mask[entries.rows[pc.equal(entries.keys, name).to_numpy(False)]] = True
        draft.report(
            mask,
            f"resources.{name}",
            found="a resource that no region has",
            expected="a resource of planner.toml",
            hint=nearest(name, names) if names else "no region has any capacity",
        )


def _number_of_jobs(draft: Draft) -> None:
    total = int(draft.ints("count", 1).sum())
    if total > MAX_JOBS:
        draft.findings.add(
            field="count",
            found=f"{total:,} jobs in all",
            expected=f"at most {MAX_JOBS:,}",
        )


def _later(draft: Draft) -> None:
    """Refuse what is known but not planned for, rather than plan it wrongly."""
    for name, field in FIELDS.items():
        if field.later and name in draft.columns:
            column = draft.columns[name]
            draft.report(
                column.good,
                name,
                found="a value",
                expected="none",
                hint=f"{name.partition('.')[0]} is {NOT_YET}",
            )


def _shapes(draft: Draft) -> None:
    """Rules among the fields of later planning, told already now."""
    pausing = draft.given("interruptible")
    for name in ("min_run", "restart_kwh"):
        draft.report(
            draft.given(name) & ~pausing,
            name,
            found=f"{name} alone",
            expected="it with interruptible: true",
        )
    scaled = ("elastic.speedup", "elastic.exponent")
    _not_both(draft, *scaled)
    elastic = draft.given(scaled[0]) | draft.given(scaled[1])
    for name in ("elastic.min", "elastic.max"):
        elastic = elastic | draft.given(name)
    for name in ("elastic.min", "elastic.max"):
        draft.report(
            elastic & ~draft.given(name), name, found="nothing", expected="a number"
        )
    fewest, most = draft.ints("elastic.min", 1), draft.ints("elastic.max", 2**62)
    draft.report(
        fewest > most, "elastic.min", found="min above max", expected="min at most max"
    )
    _not_both(draft, "optional.max_g_per_kwh", "optional.surplus_solar")
    for name in ("power_kw", "energy_kwh"):
        _not_both(draft, name, "power_profile")

"""The numbers and words of every row, compared with what follows from the inputs."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from outputs.check.instance import G_PER_KG, TOLERANCE, FloatArray, Instance, instant
from outputs.check.replay import Placement, Shares
from outputs.check.violation import Rule, Violation, listed

_COPIED = ((Rule.TEAM, "team"), (Rule.SPEC, "spec"))


def number_violations(
    instance: Instance, rows: pa.Table, placed: Placement, expected: Shares
) -> list[Violation]:
    """Numbers of the planned rows that do not follow.

    Parameters
    ----------
    rows
        The planned rows, in the order of ``placed``.
    """
    carbon_scale = expected.energy_kwh * instance.g_per_kwh.max(initial=0.0) / G_PER_KG
    compared = (
        (Rule.POWER, expected.power_kw, expected.power_kw),
        (Rule.ENERGY, expected.energy_kwh, expected.energy_kwh),
        (Rule.SOLAR, expected.solar_kwh, expected.energy_kwh),
        (Rule.GRID, expected.grid_kwh, expected.energy_kwh),
        (Rule.EMISSIONS, expected.emissions_kg, carbon_scale),
    )
    violations = _lengths(instance, rows, placed) + _replicas(instance, rows, placed)
    for rule, numbers, scale in compared:
        found = rows[rule.value].to_numpy()
        violations += compared_numbers(
            rule, found, numbers, scale, instance=instance, placed=placed
        )
    return violations


def compared_numbers(
    rule: Rule,
    found: FloatArray,
    expected: FloatArray,
    scale: FloatArray,
    *,
    instance: Instance,
    placed: Placement,
) -> list[Violation]:
    """Rows where two numbers differ by more than the tolerance of their scale."""
    slack = TOLERANCE * np.maximum(np.abs(expected), scale)
    return listed(
        rule,
        ~(np.abs(found - expected) <= slack),
        where=lambda i: instance.job_name(placed.job[i]),
        found=lambda i: float(found[i]),
        expected=lambda i: float(expected[i]),
    )


def word_violations(
    instance: Instance, rows: pa.Table, job: pa.Array
) -> list[Violation]:
    """What dispatch will follow, where it is not what the manifest says.

    Parameters
    ----------
    rows
        All rows of the plan.
    job
        Index of each row's job.
    """
    manifest = instance.jobs
    violations: list[Violation] = []
    for rule, name in _COPIED:
        wanted = pa.chunked_array([getattr(manifest, name).take(job)])
        same = _same(rows[name], wanted)
        violations += _listed_different(rule, rows, same, rows[name], wanted)
    placed = rows.filter(rows["region"].is_valid())
    executor = _executors(instance, placed, job.filter(_mask(rows)))
    same = _same(placed["executor"], executor)
    wanted = pa.chunked_array([manifest.command.take(job)])
    return [
        *violations,
        *_listed_different(Rule.EXECUTOR, placed, same, placed["executor"], executor),
        *_different_commands(rows, rows["command"], wanted),
    ]


def _mask(rows: pa.Table) -> pa.BooleanArray:
    return rows["region"].is_valid().combine_chunks()


def _lengths(instance: Instance, rows: pa.Table, placed: Placement) -> list[Violation]:
    end = rows["end"].cast(pa.int64()).to_numpy()
    return listed(
        Rule.DURATION,
        end != placed.end_us,
        where=lambda i: instance.job_name(placed.job[i]),
        found=lambda i: f"end {instant(end[i])}",
        expected=lambda i: f"end {instant(placed.end_us[i])}",
    )


def _replicas(instance: Instance, rows: pa.Table, placed: Placement) -> list[Violation]:
    replicas = rows["replicas"].to_numpy()
    return listed(
        Rule.REPLICAS,
        replicas != 1,
        where=lambda i: instance.job_name(placed.job[i]),
        found=lambda i: replicas[i],
        expected=lambda _: 1,
    )


def _executors(instance: Instance, placed: pa.Table, job: pa.Array) -> pa.ChunkedArray:
    """Executor of every placed row: the job's own, else its region's."""
    regions = instance.settings.regions
    names = pa.array([region.name for region in regions], pa.string())
    defaults = pa.array([region.executor for region in regions], pa.string())
    region = pc.index_in(placed["region"].combine_chunks(), names)
    own = instance.jobs.executor.take(job)
    return pa.chunked_array([pc.coalesce(own, defaults.take(region))])


def _different_commands(
    rows: pa.Table, found: pa.ChunkedArray, expected: pa.ChunkedArray
) -> list[Violation]:
    same = pc.and_(
        _same(pc.list_value_length(found), pc.list_value_length(expected)),
        # no argument of a command can hold the character that joins them
        _same(pc.binary_join(found, "\0"), pc.binary_join(expected, "\0")),
    )
    return _listed_different(Rule.COMMAND, rows, same, found, expected)


def _listed_different(
    rule: Rule,
    rows: pa.Table,
    same: pa.ChunkedArray,
    found: pa.ChunkedArray,
    expected: pa.ChunkedArray,
) -> list[Violation]:
    return listed(
        rule,
        pc.invert(same).to_numpy(),
        where=lambda i: f'job "{rows["job_id"][i].as_py()}"',
        found=lambda i: found[i].as_py(),
        expected=lambda i: expected[i].as_py(),
    )


def _same(found: pa.ChunkedArray, expected: pa.ChunkedArray) -> pa.ChunkedArray:
    """Whether values are equal; two absent ones are."""
    return pc.or_(
        pc.fill_null(pc.equal(found, expected), False),
        pc.and_(found.is_null(), expected.is_null()),
    )

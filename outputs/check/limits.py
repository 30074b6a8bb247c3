"""The limits of jobs and regions that a set of placed jobs must keep."""

from __future__ import annotations

import numpy as np

from inputs.jobs import NO_INSTANT, NO_REGION
from outputs.check.instance import TOLERANCE, FloatArray, Instance, instant
from outputs.check.plannable import pinned_start_us
from outputs.check.replay import Placement, Usage
from outputs.check.violation import Rule, Violation, listed


def job_violations(instance: Instance, placed: Placement) -> list[Violation]:
    """Slot borders, windows, region rules and overrides that are broken."""
    return [
        *_borders(instance, placed),
        *_windows(instance, placed),
        *_forbidden(instance, placed),
        *_pins(instance, placed),
    ]


def region_violations(
    instance: Instance, load: Usage, before: Usage
) -> list[Violation]:
    """Resources and power caps that jobs overbook on top of earlier work."""
    violations: list[Violation] = []
    for k, name in enumerate(instance.jobs.resource_names):
        capacity = instance.capacity(name)
        violations += _overbooked(
            instance,
            Rule.RESOURCE,
            f"{name} ",
            load.demand[k],
            before.demand[k],
            capacity,
            TOLERANCE * np.maximum(1.0, capacity),
        )
    regions = instance.settings.regions
    caps = np.array(
        [np.inf if r.power_cap_kw is None else r.power_cap_kw for r in regions]
    )
    slack = TOLERANCE * np.maximum(instance.pue, np.where(np.isinf(caps), 0.0, caps))
    violations += _overbooked(
        instance, Rule.POWER_CAP, "kW ", load.power_kw, before.power_kw, caps, slack
    )
    return violations


def _borders(instance: Instance, placed: Placement) -> list[Violation]:
    grid = instance.grid
    return listed(
        Rule.SLOT_BORDER,
        (placed.start_us - grid.start_us) % grid.step_us != 0,
        where=lambda i: instance.job_name(placed.job[i]),
        found=lambda i: f"start {instant(placed.start_us[i])}",
        expected=lambda _: f"a border of slots of {grid.step} from {grid.start}",
    )


def _windows(instance: Instance, placed: Placement) -> list[Violation]:
    earliest = instance.earliest_us[placed.job]
    deadline = instance.deadline_us[placed.job]
    start, end = placed.start_us, placed.end_us
    return listed(
        Rule.WINDOW,
        (start < earliest) | (end > deadline),
        where=lambda i: instance.job_name(placed.job[i]),
        found=lambda i: f"{instant(start[i])} to {instant(end[i])}",
        expected=lambda i: f"within {instant(earliest[i])} to {instant(deadline[i])}",
    )


def _forbidden(instance: Instance, placed: Placement) -> list[Violation]:
    names = [region.name for region in instance.settings.regions]
    allowed = instance.jobs.allowed

    def choices(i: int) -> str:
        return ", ".join(np.array(names)[allowed[placed.job[i]]]) or "none"

    return listed(
        Rule.REGION,
        ~allowed[placed.job, placed.region],
        where=lambda i: instance.job_name(placed.job[i]),
        found=lambda i: names[placed.region[i]],
        expected=choices,
    )


def _pins(instance: Instance, placed: Placement) -> list[Violation]:
    names = [region.name for region in instance.settings.regions]
    region = instance.jobs.pin_region[placed.job]
    start = pinned_start_us(instance, placed.job)
    return [
        *listed(
            Rule.PIN,
            (region != NO_REGION) & (region != placed.region),
            where=lambda i: instance.job_name(placed.job[i]),
            found=lambda i: names[placed.region[i]],
            expected=lambda i: f"pinned to {names[region[i]]}",
        ),
        *listed(
            Rule.PIN,
            (start != NO_INSTANT) & (start != placed.start_us),
            where=lambda i: instance.job_name(placed.job[i]),
            found=lambda i: instant(placed.start_us[i]),
            expected=lambda i: f"pinned to {instant(start[i])}",
        ),
    ]


def _overbooked(
    instance: Instance,
    rule: Rule,
    unit: str,
    load: FloatArray,
    before: FloatArray,
    capacity: FloatArray,
    slack: FloatArray,
) -> list[Violation]:
    """Slots where jobs take more than earlier work leaves of a capacity.

    Earlier work may itself exceed a capacity that has shrunk since: then jobs must
    take nothing there, but are not blamed for what runs already.
    """
    free = np.maximum(capacity[:, None] - before, 0.0)
    broken = load > free + slack[:, None]
    n_slots = instance.grid.n_slots
    return listed(
        rule,
        broken.ravel(),
        where=lambda i: unit + "in " + instance.slot_name(*divmod(i, n_slots)),
        found=lambda i: float(load.flat[i]),
        expected=lambda i: f"at most {free.flat[i]:.9g}",
    )

"""Every field of a job: its kind, meaning and default. The one table of the schema.

Nested fields have dotted names, as the columns of CSV and Parquet manifests do.
"""

from __future__ import annotations

from dataclasses import dataclass

from inputs.manifests.kinds import (
    Arguments,
    Flag,
    Kind,
    Length,
    Moment,
    Number,
    PinnedStart,
    Text,
    Whole,
    Words,
)
from inputs.manifests.later_kinds import Numbers, Profile, Recurrence

MAX_JOBS = 20_000_000
"""Most jobs of one run, after ``count`` is spread out."""

_SAFE = "A-Z a-z 0-9 . _ -"
_NAME = Text(
    r"[A-Za-z0-9._][A-Za-z0-9._-]{0,127}",
    f"1 to 128 characters of {_SAFE}, no leading dash",
)
_LABEL = Text(r"[^\x00-\x1f\x7f]{1,128}", "1 to 128 printable characters")
_TEXT = Text(r"(?s:[^\x00]{0,32768})", "text without zero bytes, at most 32 KiB")
_REGION = Text(r"(?s:.{1,128})", "the name of a region")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a job.

    Parameters
    ----------
    kind
        What it may hold.
    meaning
        One line for the reference.
    later
        Known and checked, but refused when it asks for anything: planning with it
        does not exist yet.
    """

    kind: Kind
    meaning: str
    later: bool = False


_POSITIVE = Number(0, open_low=True)
_UNITS = Number(0, open_low=True, zero_hint="leave it out if the job needs none")

FIELDS: dict[str, Field] = {
    "id": Field(_NAME, "unique name in the workspace"),
    "command": Field(Arguments(), "argv, never a shell string"),
    "image": Field(_LABEL, "container image"),
    "duration": Field(Length(), "running time"),
    "power_kw": Field(_POSITIVE, "mean IT power while it runs [kW]"),
    "energy_kwh": Field(_POSITIVE, "IT energy of the whole run [kWh]"),
    "earliest": Field(Moment(), "not started before"),
    "deadline": Field(Moment(), "finished by"),
    "max_delay": Field(Length(), "deadline, counted from earliest"),
    "regions": Field(Words("region names", 10_000), "where it may run"),
    "home_region": Field(_REGION, "where it would run without a planner"),
    "data_gb": Field(Number(0), "input data in home_region [GB]"),
    "weight": Field(_POSITIVE, "importance"),
    "interruptible": Field(Flag(), "may pause at slot borders", later=True),
    "min_run": Field(Length(), "shortest piece of an interruptible job", later=True),
    "restart_kwh": Field(Number(0), "energy of a resume [kWh]", later=True),
    "elastic.min": Field(Whole(1, 1_000_000), "fewest replicas", later=True),
    "elastic.max": Field(Whole(1, 1_000_000), "most replicas", later=True),
    "elastic.speedup": Field(Numbers(), "speed at each replica count", later=True),
    "elastic.exponent": Field(Number(0, 1), "speed as a power of replicas", later=True),
    "depends_on": Field(Words("job ids", 10_000), "finished first", later=True),
    "count": Field(Whole(1, MAX_JOBS), "array of equal jobs: id[0] … id[n-1]"),
    "every": Field(Recurrence(), "recurring: a cron expression", later=True),
    "team": Field(_LABEL, "for reports"),
    "pin.region": Field(_REGION, "the user's override: this region"),
    "pin.start": Field(PinnedStart(), "the user's override: this start"),
    "optional.max_g_per_kwh": Field(
        _POSITIVE, "run only when it is that clean [g/kWh]", later=True
    ),
    "optional.surplus_solar": Field(Flag(), "run only on surplus solar", later=True),
    "power_profile": Field(Profile(), "power over the run", later=True),
    "executor": Field(_NAME, "overrides the region's executor"),
    "retries": Field(Whole(0, 100), "further attempts after a failure"),
    "timeout": Field(Length(), "stopped after"),
    "on_missed": Field(Text("run|skip", "run or skip"), "when its start was missed"),
}
"""Fields with one value, by dotted name."""

MAPS: dict[str, Field] = {
    "resources": Field(_UNITS, "units held in every slot that it touches"),
    "env": Field(_TEXT, "environment variables"),
    "labels": Field(_TEXT, "labels for container back ends"),
}
"""Fields that hold names chosen by the user, and the kind of each value."""

MAP_KEYS: dict[str, Text] = {
    "resources": _NAME,
    "env": Text(r"[A-Za-z_][A-Za-z0-9_]{0,254}", "a name of A-Z a-z 0-9 _"),
    "labels": Text(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,252}", f"a name of {_SAFE} /"),
}
"""Which names a map may have."""

GROUPS: frozenset[str] = frozenset(
    name.partition(".")[0] for name in FIELDS if "." in name
)
"""Tables with fixed keys."""

TOP: frozenset[str] = frozenset({name.partition(".")[0] for name in FIELDS} | {*MAPS})
"""Every key that a job may have."""


def nothing_asked(name: str, value: object) -> bool:
    """Whether a value of a field for later planning asks for nothing.

    ``interruptible: false`` and ``depends_on: []`` are such values.
    """
    return FIELDS[name].later and (value is False or value == [])

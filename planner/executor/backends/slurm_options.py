"""What is asked of ``sbatch``: by the settings, and by each order."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from planner.executor.backends.backend import Order
from planner.executor.backends.settings import SettingValueError

SAFE_TO_REPEAT = "safe-to-repeat"
"""Label of jobs that Slurm may start again by itself after a node failure."""

ENERGY = ("none", "accounting")
"""Who tells the energy of a job: nobody, or ``sacct`` where ``accounting`` is on."""

_MIB_PER_GIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """``[executor.slurm]``.

    Parameters
    ----------
    partition, account, qos, constraint, reservation
        As sbatch's options of these names; None leaves them out.
    gres
        Which resources of jobs are asked for as generic resources, under which name.
    time_factor
        Time limit of a job without ``timeout``, as a multiple of its planned running
        time; None leaves it to the partition.
    runs
        Folder of the runs, seen by the compute nodes under the same path; None for
        ``runs`` below the workspace's outputs.
    accounting
        Whether ``sacct`` is asked about jobs that slurmctld has forgotten, and about
        the energy of those that ended.
    energy
        Who tells that energy, one of ``ENERGY``.
    completions
        File of the jobcomp/filetxt plug-in, asked about them too.
    conf, commands
        slurm.conf, and folder of Slurm's commands, where they are not in the usual
        places.
    limit_s
        Longest time to wait for one of Slurm's commands. [s]
    """

    partition: str | None = None
    account: str | None = None
    qos: str | None = None
    constraint: str | None = None
    reservation: str | None = None
    gres: dict[str, str] = field(default_factory=lambda: {"gpu": "gpu"})
    time_factor: float | None = None
    runs: str | None = None
    accounting: bool = False
    energy: str = "accounting"
    completions: str | None = None
    conf: str | None = None
    commands: str | None = None
    limit_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant."""
        for key in ("partition", "account", "qos", "constraint", "reservation"):
            value = getattr(self, key)
            if value is not None and (not value or not value.isprintable()):
                raise SettingValueError(key, "a name")
        if self.time_factor is not None and self.time_factor < 1:
            raise SettingValueError("time_factor", "a number of 1 or more")
        if self.limit_s <= 0:
            raise SettingValueError("limit_s", "a number above 0")
        if self.energy not in ENERGY:
            raise SettingValueError("energy", " or ".join(ENERGY))

    @property
    def asks_for_energy(self) -> bool:
        """Whether ``sacct`` is asked what a job used."""
        return self.accounting and self.energy == "accounting"


def options_of(order: Order, settings: Settings, *, repeatable: bool) -> list[str]:
    """Options of ``sbatch``, each one word, so that no value is read as another."""
    wanted: dict[str, object] = {
        "job-name": order.key,
        "comment": f"{order.key} {order.job_id}",
        "begin": f"uts{math.floor(order.start.timestamp())}",
        "export": "ALL",
        "output": "/dev/null",
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "constraint": settings.constraint,
        "reservation": settings.reservation,
        "time": _time_limit(order, settings),
    }
    options = [f"--{name}={value}" for name, value in wanted.items() if value]
    return [
        *options,
        "--requeue" if repeatable else "--no-requeue",
        *_resource_options(order, settings),
    ]


def _time_limit(order: Order, settings: Settings) -> int | None:
    """Time limit in whole minutes, rounded up; Slurm knows no finer one."""
    seconds = order.timeout_s
    if seconds is None and settings.time_factor is not None:
        seconds = (order.end - order.start).total_seconds() * settings.time_factor
    return None if seconds is None else max(1, math.ceil(seconds / 60))


def _resource_options(order: Order, settings: Settings) -> list[str]:
    """What one node must have; each replica has a node's share of its own."""
    amounts = order.resources
    options = [f"--nodes={order.replicas}", "--ntasks-per-node=1"]
    if cpus := amounts.get("cpu"):
        options.append(f"--cpus-per-task={math.ceil(cpus)}")
    if gib := amounts.get("memory_gib"):
        options.append(f"--mem={math.ceil(gib * _MIB_PER_GIB)}M")
    gres = [
        f"{name}:{math.ceil(amounts[resource])}"
        for resource, name in settings.gres.items()
        if amounts.get(resource)
    ]
    return [*options, f"--gres={','.join(gres)}"] if gres else options

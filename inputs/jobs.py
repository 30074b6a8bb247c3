"""All jobs of one run, as columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

FloatArray = npt.NDArray[np.float64]
Int64Array = npt.NDArray[np.int64]
Int16Array = npt.NDArray[np.int16]
Int32Array = npt.NDArray[np.int32]
BoolArray = npt.NDArray[np.bool_]

NO_REGION = np.int16(-1)
NO_INSTANT = np.iinfo(np.int64).min
"""Marks a missing instant in a column of microseconds."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Jobs:
    """Checked jobs, one entry of every column a job, in manifest order.

    Instants are microseconds since 1970 UTC; regions are indices into the
    workspace's regions, in the order of planner.toml. Arrays of equal jobs
    (``count``) are already spread out. Numpy columns are read-only.

    Parameters
    ----------
    ids
        Unique job ids.
    duration_us
        Running time, shape (n_jobs,). [µs]
    power_kw
        Mean IT power while running, before PUE, shape (n_jobs,). [kW]
    resource_names
        Names of all resources that any job or region mentions, sorted.
    demand
        Resources held while running, shape (n_jobs, n_resources).
    earliest_us, deadline_us
        Window as the user gave it, not yet cut to the horizon, shape (n_jobs,);
        ``NO_INSTANT`` where it was not given.
    allowed
        Whether the user lets a job run in a region, shape (n_jobs, n_regions).
        Without ``regions`` in the manifest: the regions that own every resource
        which the job demands.
    home
        Where the job would run without a planner, shape (n_jobs,).
    data_gb
        Input data that lives in the home region, shape (n_jobs,). [GB]
    weight
        Importance: multiplies the unplaced weight, shape (n_jobs,).
    pin_region
        Region demanded by the user's override or ``NO_REGION``, shape (n_jobs,).
    pin_start_us
        Start demanded by the override or ``NO_INSTANT``, shape (n_jobs,).
    team, executor
        Strings, null where not given.
    command
        argv of every job, list<string>; null for images with a default command.
    spec
        JSON text of all that dispatch needs, keys sorted: ``command``, ``image``,
        ``env``, ``labels``, ``resources``, ``retries``, ``timeout_s``,
        ``on_missed``, ``deadline`` (ISO 8601 UTC or null).
    source
        Index into ``source_paths`` of the manifest each job came from.
    source_paths
        Manifests as the user named them.
    """

    ids: pa.StringArray
    duration_us: Int64Array
    power_kw: FloatArray
    resource_names: tuple[str, ...]
    demand: FloatArray
    earliest_us: Int64Array
    deadline_us: Int64Array
    allowed: BoolArray
    home: Int16Array
    data_gb: FloatArray
    weight: FloatArray
    pin_region: Int16Array
    pin_start_us: Int64Array
    team: pa.StringArray
    executor: pa.StringArray
    command: pa.ListArray
    spec: pa.StringArray
    source: Int32Array
    source_paths: tuple[str, ...]

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            column = getattr(self, name)
            if isinstance(column, np.ndarray):
                column.setflags(write=False)
            if name not in ("resource_names", "source_paths"):
                assert len(column) == len(self.ids), name

    def __len__(self) -> int:
        return len(self.ids)

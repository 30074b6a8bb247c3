"""Job manifests of every format, read into columns and checked.

A manifest with any problem is left out as a whole and told; the others are used. An
id belongs to the first manifest that uses it, in order of the settings; a later one
that uses it again is the broken one. A pattern with wildcards may match nothing,
which is noted; a plain path must exist.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from inputs.errors import ManifestError
from inputs.files import read_settled
from inputs.findings import Findings, Unreadable
from inputs.jobs import Jobs
from inputs.manifests.assemble import concatenate, to_jobs
from inputs.manifests.checks import check
from inputs.manifests.dependencies import check_dependencies
from inputs.manifests.documents import PARSERS, read_document
from inputs.manifests.draft import Draft
from inputs.manifests.fields import MAX_JOBS
from inputs.manifests.paths import ManifestPath, expand
from inputs.manifests.tables import MAX_TABLE_BYTES, SUFFIXES, read_table
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedJobs:
    """Jobs of all good manifests, and what became of the others.

    Parameters
    ----------
    jobs
        Jobs of the manifests that could be used.
    broken
        One error for each manifest left out, with all of its findings.
    files
        Path and SHA-256 of each manifest used, as it was parsed.
    notes
        Everything else that a reader of the plan must know.
    """

    jobs: Jobs
    broken: tuple[ManifestError, ...]
    files: tuple[tuple[str, str], ...]
    notes: tuple[str, ...]


def load_jobs(workspace: Workspace, grid: TimeGrid) -> LoadedJobs:
    """Jobs of every manifest that the settings name.

    Parameters
    ----------
    workspace
        Tells where the manifests are and which regions exist.
    grid
        Planned date and horizon, for clock times and defaults.
    """
    patterns = workspace.settings.planner.jobs
    paths, notes = expand(workspace.root, patterns)
    broken: list[ManifestError] = []
    drafts: list[tuple[Draft, str]] = []
    sizes = [(path.file, _limit(path.suffix)) for path in paths]
    for path, content in zip(paths, read_settled(sizes), strict=True):
        if isinstance(content, Unreadable):
            broken.append(_unreadable(path, content))
            continue
        drafts.append((_read(content.data, path, grid), content.sha256))
    check_dependencies([draft for draft, _ in drafts])
    for draft, _ in drafts:
        check(draft, workspace, grid)
    _check_between(drafts)
    good = [(draft, sha256) for draft, sha256 in drafts if not draft.findings]
    broken += [d.findings.error(ManifestError) for d, _ in drafts if d.findings]
    jobs = concatenate([to_jobs(d, workspace, grid) for d, _ in good], workspace)
    notes += [f"{d.path} holds no jobs" for d, _ in good if d.n_jobs == 0]
    if not len(jobs):
        notes.append("there are no jobs to plan")
    return LoadedJobs(
        jobs=jobs,
        broken=tuple(broken),
        files=tuple((draft.path, sha256) for draft, sha256 in good),
        notes=tuple(notes),
    )


def _limit(suffix: str) -> int:
    return PARSERS[suffix][1] if suffix in PARSERS else MAX_TABLE_BYTES


def _read(data: bytes, path: ManifestPath, grid: TimeGrid) -> Draft:
    read = read_table if path.suffix in SUFFIXES else _read_other
    return read(data, path=path.shown, suffix=path.suffix, grid=grid)


def _read_other(data: bytes, *, path: str, suffix: str, grid: TimeGrid) -> Draft:
    if suffix in PARSERS:
        return read_document(data, path=path, suffix=suffix, grid=grid)
    findings = Findings(path)
    findings.add(
        found=f"a file of type {suffix or 'unknown'}",
        expected=f"one of {' '.join([*PARSERS, *SUFFIXES])}",
    )
    return Draft(
        path=path,
        n_jobs=0,
        columns={},
        maps={},
        locate=lambda row, field: None,
        findings=findings,
        tabular=False,
    )


def _unreadable(path: ManifestPath, reason: Unreadable) -> ManifestError:
    findings = Findings(path.shown)
    findings.add(found=reason.found, expected=reason.expected, hint=reason.hint)
    return findings.error(ManifestError)


def _check_between(drafts: list[tuple[Draft, str]]) -> None:
    """Ids that a manifest shares with a good one before it; number of all jobs."""
    before: list[Draft] = []
    total = 0
    shared = _any_shared([draft for draft, _ in drafts])
    for draft, _ in drafts:
        for other in before if shared else ():
            _refuse_shared_ids(draft, other)
        total += int(draft.ints("count", 1).sum())
        if total > MAX_JOBS:
            draft.findings.add(
                found=f"{total:,} jobs together with the manifests before",
                expected=f"at most {MAX_JOBS:,}",
            )
        if not draft.findings:
            before.append(draft)


def _any_shared(drafts: list[Draft]) -> bool:
    """Whether any id stands twice, told quickly for the usual case of none."""
    ids = pa.chunked_array([d.strings("id") for d in drafts], pa.string())
    return bool(pc.count_distinct(ids).as_py() < len(ids) - ids.null_count)


def _refuse_shared_ids(draft: Draft, first: Draft) -> None:
    ids, taken = draft.strings("id"), first.strings("id")
    known = pc.and_(pc.is_in(ids, value_set=taken.drop_null()), ids.is_valid())
    shared = known.to_numpy(zero_copy_only=False)

    def where(row: int) -> str:
        at = pc.index_in(pa.array([ids[row].as_py()]), value_set=taken)[0].as_py()
        line = first.locate(at, "id")
        return first.path if line is None else f"{first.path}:{line}"

    draft.report(
        np.asarray(shared, dtype=np.bool_),
        "id",
        found="the id a second time",
        expected=lambda row: f"the id once in the workspace (first at {where(row)})",
        hint="rename one, or begin ids with the team's name",
    )

"""Manifests that are documents: YAML, JSON and TOML, one table a job."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa

from inputs.findings import Findings, Unreadable, nearest, quoted
from inputs.manifests.draft import Column, Draft, Entries
from inputs.manifests.fields import (
    FIELDS,
    GROUPS,
    MAP_KEYS,
    MAPS,
    TOP,
    nothing_asked,
)
from inputs.manifests.json_text import parse_json
from inputs.manifests.kinds import Doubtful
from inputs.manifests.toml_text import parse_toml
from inputs.manifests.tree import (
    MAX_BYTES,
    MAX_TOML_BYTES,
    Document,
    NotADocument,
    Table,
)
from inputs.manifests.yaml_text import parse_yaml
from inputs.timegrid import TimeGrid

Parser = Callable[[str], Document]

PARSERS: dict[str, tuple[Parser, int]] = {
    ".yaml": (parse_yaml, MAX_BYTES),
    ".yml": (parse_yaml, MAX_BYTES),
    ".json": (parse_json, MAX_BYTES),
    ".toml": (parse_toml, MAX_TOML_BYTES),
}
"""Parser and largest size of each suffix."""


def read_document(data: bytes, *, path: str, suffix: str, grid: TimeGrid) -> Draft:
    """Columns of a document's jobs, with every problem found on the way.

    Parameters
    ----------
    data
        The whole file; UTF-8, a byte-order mark is accepted.
    path
        The manifest, as the user named it.
    suffix
        Key of ``PARSERS``.
    grid
        Planned date, for clock times.
    """
    findings = Findings(path)
    document = _parse(data, suffix, findings)
    jobs = _jobs(document.root, findings) if document else []
    locate = document.line_of if document else _nowhere
    return _Rows(jobs, findings, locate, grid).draft(path)


def _nowhere(row: int, field: str | None) -> int | None:
    return None


def _parse(data: bytes, suffix: str, findings: Findings) -> Document | None:
    parse, _ = PARSERS[suffix]
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        findings.add(
            line=data.count(b"\n", 0, error.start) + 1,
            found=f"byte 0x{data[error.start]:02x}",
            expected="UTF-8 text",
            hint="save the file as UTF-8",
        )
    except NotADocument as error:
        findings.add(
            line=error.line,
            found=error.found,
            expected=error.reason.expected,
            hint=error.reason.hint,
        )
    return None


def _jobs(root: object, findings: Findings) -> list[object]:
    if not isinstance(root, dict):
        other = "a list" if isinstance(root, list) else quoted(root)
        findings.add(
            found="an empty file" if root is None else other,
            expected="a table with the key jobs",
            hint="write jobs: [] if none is meant" if root is None else None,
        )
        return []
    lines = root.lines if isinstance(root, Table) else {}
    for name in root:
        if name != "jobs":
            findings.add(
                line=lines.get(name),
                field=name,
                found="an unknown key",
                expected="the key jobs alone",
                hint=nearest(name, ["jobs"]),
            )
    if isinstance(root, Table):
        for name in root.duplicates:
            findings.add(
                line=lines.get(name),
                field=name,
                found="the key twice",
                expected="each key once",
            )
    jobs = root.get("jobs")
    if not isinstance(jobs, list):
        findings.add(
            line=lines.get("jobs"),
            field="jobs",
            found="nothing" if jobs is None else "something else",
            expected="a list of jobs",
        )
        return []
    return jobs


class _Rows:
    """Spreads tables over columns, one job after another."""

    def __init__(
        self,
        jobs: list[object],
        findings: Findings,
        locate: Callable[[int, str | None], int | None],
        grid: TimeGrid,
    ) -> None:
        self._jobs = jobs
        self._findings = findings
        self._locate = locate
        self._grid = grid
        self._values: dict[str, list[object]] = {}
        self._given: dict[str, list[int]] = {}
        self._entries: dict[str, tuple[list[int], list[str], list[object]]] = {}

    def draft(self, path: str) -> Draft:
        for row, job in enumerate(self._jobs):
            if isinstance(job, dict):
                self._row(row, job)
            else:
                self._bad(row, None, quoted(job), Unreadable("a table: one job"))
        n_jobs = len(self._jobs)
        return Draft(
            path=path,
            n_jobs=n_jobs,
            columns={name: self._column(name, n_jobs) for name in self._values},
            maps={name: self._map(name) for name in self._entries},
            locate=self._locate,
            findings=self._findings,
            tabular=False,
        )

    def _row(self, row: int, job: dict[str, object]) -> None:
        self._duplicates(row, job, "")
        for name, raw in job.items():
            if name in FIELDS and name not in GROUPS and "." not in name:
                self._field(row, name, raw)
            elif name in MAPS:
                self._pairs(row, name, raw)
            elif name in GROUPS:
                self._group(row, name, raw)
            else:
                self._unknown(row, name, TOP)

    def _field(self, row: int, name: str, raw: object) -> None:
        if raw is None or nothing_asked(name, raw):
            return
        column = self._values.setdefault(name, [None] * len(self._jobs))
        self._given.setdefault(name, []).append(row)
        try:
            column[row] = FIELDS[name].kind.read(raw, self._grid)
        except Unreadable as error:
            self._bad(row, name, quoted(raw), error)

    def _group(self, row: int, group: str, raw: object) -> None:
        known = [n.partition(".")[2] for n in FIELDS if n.startswith(f"{group}.")]
        if not self._is_table(row, group, raw, f"a table of {', '.join(known)}"):
            return
        assert isinstance(raw, dict)
        for name, value in raw.items():
            if name in known:
                self._field(row, f"{group}.{name}", value)
            else:
                self._unknown(row, f"{group}.{name}", [f"{group}.{k}" for k in known])

    def _pairs(self, row: int, map_: str, raw: object) -> None:
        if not self._is_table(row, map_, raw, "a table of names and values"):
            return
        assert isinstance(raw, dict)
        rows, keys, values = self._entries.setdefault(map_, ([], [], []))
        for name, value in raw.items():
            if value is None:
                continue
            field = f"{map_}.{name}"
            try:
                MAP_KEYS[map_].read(name, self._grid)
            except Unreadable as error:
                self._bad(row, map_, f"the name {quoted(name)}", error)
                continue
            try:
                read = MAPS[map_].kind.read(value, self._grid)
            except Unreadable as error:
                self._bad(row, field, quoted(value), error)
                continue
            rows.append(row)
            keys.append(name)
            values.append(read)

    def _is_table(self, row: int, name: str, raw: object, expected: str) -> bool:
        if raw is None:
            return False
        if not isinstance(raw, dict):
            hint = raw.hint if isinstance(raw, Doubtful) else None
            self._bad(row, name, quoted(raw), Unreadable(expected, hint))
            return False
        self._duplicates(row, raw, f"{name}.")
        return True

    def _duplicates(self, row: int, table: dict[str, object], at: str) -> None:
        for name in table.duplicates if isinstance(table, Table) else ():
            once = Unreadable("each key once")
            self._bad(row, f"{at}{name}", "the key twice", once)

    def _unknown(self, row: int, name: str, known: object) -> None:
        assert isinstance(known, list | frozenset)
        reason = Unreadable("a field of the schema", nearest(name, known))
        self._bad(row, name, "an unknown field", reason)

    def _bad(self, row: int, field: str | None, found: str, why: Unreadable) -> None:
        job = self._jobs[row]
        id_ = job.get("id") if isinstance(job, dict) else None
        self._findings.add(
            line=None if self._findings.full else self._locate(row, field),
            job=id_ if isinstance(id_, str) else f"#{row + 1}",
            field=field,
            found=found,
            expected=why.expected,
            hint=why.hint,
        )

    def _column(self, name: str, n_jobs: int) -> Column:
        given = np.zeros(n_jobs, dtype=np.bool_)
        given[self._given[name]] = True
        return Column(pa.array(self._values[name], FIELDS[name].kind.arrow), given)

    def _map(self, name: str) -> Entries:
        rows, keys, values = self._entries[name]
        return Entries(
            rows=np.asarray(rows, dtype=np.int64),
            keys=pa.array(keys, pa.string()),
            values=pa.array(values, MAPS[name].kind.arrow),
        )

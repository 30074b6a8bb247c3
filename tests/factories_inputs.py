"""Small workspaces on disk, and the same jobs written in every manifest format."""

from __future__ import annotations

import csv
import io
import json
import shlex
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from inputs.manifests import LoadedJobs, load_jobs
from inputs.settings import Workspace
from inputs.timegrid import TimeGrid, day_grid
from inputs.workspace import load_workspace

FORMATS = ("yaml", "json", "toml", "csv", "parquet")
DAY = date(2026, 11, 22)
ZONE = "Europe/Berlin"

SETTINGS = """\
[planner]
timezone = "Europe/Berlin"
jobs = {jobs}

[regions.eu-north]
capacity = {{ cpu = 64, gpu = 8 }}

[regions.eu-west]
capacity = {{ cpu = 16 }}
"""


def job(**fields: Any) -> dict[str, Any]:
    """The smallest valid job; a field set to None is left out."""
    smallest = {"id": "a", "command": ["true"], "duration": "1h", "power_kw": 2.0}
    return {k: v for k, v in {**smallest, **fields}.items() if v is not None}


def grid(day: date = DAY, **options: Any) -> TimeGrid:
    return day_grid(day, **{"timezone": ZONE, "slot_minutes": 15, **options})


def workspace(
    root: Path,
    files: Mapping[str, str | bytes],
    *,
    jobs: Sequence[str] | None = None,
    settings: str = SETTINGS,
) -> Workspace:
    """Write a workspace; the manifests are read in the order given."""
    names = list(files if jobs is None else jobs)
    text = settings.format(jobs=json.dumps(names))
    (root / "planner.toml").write_text(text, encoding="utf-8")
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (root / name).write_bytes(data)
    return load_workspace(root, environment={})


def load(
    root: Path, files: Mapping[str, str | bytes], day: date = DAY, **options: Any
) -> LoadedJobs:
    return load_jobs(workspace(root, files, **options), grid(day))


def written(jobs: Sequence[Mapping[str, Any]], format_: str) -> bytes:
    """Jobs as a manifest of the given format."""
    writers = {
        "yaml": _yaml,
        "json": lambda jobs: json.dumps({"jobs": jobs}, indent=1).encode(),
        "toml": _toml,
        "csv": _csv,
        "parquet": _parquet,
    }
    return writers[format_](jobs)


def load_as(
    root: Path, jobs: Sequence[Mapping[str, Any]], format_: str, **options: Any
) -> LoadedJobs:
    return load(root, {f"jobs.{format_}": written(jobs, format_)}, **options)


def message(loaded: LoadedJobs) -> str:
    """The one refusal of a load that refused one manifest."""
    (error,) = loaded.broken
    assert len(loaded.jobs) == 0
    return str(error)


def _yaml(jobs: Sequence[Mapping[str, Any]]) -> bytes:
    text: str = yaml.safe_dump({"jobs": [dict(j) for j in jobs]}, sort_keys=False)
    return text.encode()


def _toml(jobs: Sequence[Mapping[str, Any]]) -> bytes:
    lines = []
    for one in jobs:
        lines.append("[[jobs]]")
        lines += [f"{json.dumps(k)} = {_toml_value(v)}" for k, v in one.items()]
    return "\n".join(lines or ["jobs = []"]).encode()


def _toml_value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{json.dumps(k)} = {_toml_value(v)}" for k, v in value.items())
        return "{ " + ", ".join(pairs) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml_value(v) for v in value) + "]"
    if isinstance(value, float):
        return str(value)
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _flat(job: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in job.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{k}": v for k, v in value.items()}
        else:
            flat[name] = value
    return flat


def _csv(jobs: Sequence[Mapping[str, Any]]) -> bytes:
    rows = [_flat(one) for one in jobs]
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["id"]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(name, row.get(name)) for name in names])
    return out.getvalue().encode()


def _cell(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        words = [str(v) for v in value]
        return shlex.join(words) if name == "command" else " ".join(words)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _column(values: list[Any]) -> pa.Array:
    types = {type(value) for value in values if value is not None}
    if str in types and len(types) > 1:
        values = [None if value is None else str(value) for value in values]
    return pa.array(values)


def _parquet(jobs: Sequence[Mapping[str, Any]]) -> bytes:
    rows = [_flat(one) for one in jobs]
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["id"]
    columns = {name: _column([row.get(name) for row in rows]) for name in names}
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()

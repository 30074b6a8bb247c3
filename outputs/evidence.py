"""What became of a planned day: one Parquet file, sealed by a digest.

One row for each segment; docs/settlement.md explains every column and key.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from outputs.errors import EvidenceError, PlanFormatError
from outputs.plan_digest import canonical_json, plan_digest, rows_digest
from outputs.plan_meta import parse_json
from outputs.storage import probe, write_atomically

SCHEMA_VERSION = 1
META_KEY = b"settlement"
_UNREADABLE = (pa.ArrowException, OSError, ValueError, KeyError, PlanFormatError)

_INSTANT = pa.timestamp("us", tz="UTC")
_TEXT, _NUMBER, _COUNT = pa.string(), pa.float64(), pa.int32()

EVIDENCE_SCHEMA = pa.schema(
    [
        pa.field("job_id", _TEXT, nullable=False),
        pa.field("segment", _COUNT, nullable=False),
        pa.field("team", _TEXT),
        pa.field("ending", _TEXT, nullable=False),
        pa.field("state", _TEXT, nullable=False),
        pa.field("provisional", pa.bool_(), nullable=False),
        pa.field("attempts", _COUNT, nullable=False),
        pa.field("exit_code", _COUNT),
        pa.field("reason", _TEXT),
        pa.field("planned_region", _TEXT, nullable=False),
        pa.field("planned_start", _INSTANT, nullable=False),
        pa.field("planned_end", _INSTANT, nullable=False),
        pa.field("planned_energy_kwh", _NUMBER, nullable=False),
        pa.field("planned_solar_kwh", _NUMBER),
        pa.field("planned_emissions_kg", _NUMBER),
        pa.field("actual_region", _TEXT),
        pa.field("actual_start", _INSTANT),
        pa.field("actual_end", _INSTANT),
        pa.field("times", _TEXT),
        pa.field("energy_kwh", _NUMBER),
        pa.field("energy_label", _TEXT),
        pa.field("energy_source", _TEXT),
        pa.field("repeated_energy_kwh", _NUMBER),
        pa.field("solar_kwh", _NUMBER),
        pa.field("grid_kwh", _NUMBER),
        pa.field("solar_share", _NUMBER),
        pa.field("transfer_kg", _NUMBER),
        pa.field("emissions_kg", _NUMBER),
        pa.field("baseline_kg", _NUMBER),
        pa.field("hindsight_region", _TEXT),
        pa.field("hindsight_start", _INSTANT),
        pa.field("hindsight_kg", _NUMBER),
        pa.field("planned_at_actual_kg", _NUMBER),
        pa.field("dispatched_kg", _NUMBER),
        pa.field("functional_unit", _TEXT),
        pa.field("units", _NUMBER),
        pa.field("embodied_kg", _NUMBER),
    ]
)
"""Columns of an evidence file, one row for each segment, by planned start, job."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Evidence:
    """Rows of ``EVIDENCE_SCHEMA`` and the sums over them.

    Parameters
    ----------
    meta
        Plain JSON values; docs/settlement.md lists the keys.
    """

    rows: pa.Table
    meta: dict[str, Any]


def evidence_path(outputs: Path, day: date) -> Path:
    """File of a date's evidence below the outputs folder."""
    return outputs / "evidence" / f"evidence-{day.isoformat()}.parquet"


def write_evidence(evidence: Evidence, path: Path) -> Evidence:
    """Write evidence whole or not at all; what was there before is replaced.

    Returns
    -------
    Evidence
        What ``read_evidence`` will return, with the digests filled in.

    Raises
    ------
    PlanStorageError
        If the disk refuses.
    """
    rows = evidence.rows.cast(EVIDENCE_SCHEMA)
    meta = {
        **evidence.meta,
        "schema_version": SCHEMA_VERSION,
        "rows_digest": _digest(rows),
    }
    meta["digest"] = plan_digest(meta)
    text = canonical_json(meta)

    def write(file: BinaryIO) -> None:
        with pq.ParquetWriter(
            file,
            EVIDENCE_SCHEMA,
            compression="zstd",
            write_page_checksum=True,
            store_schema=False,
        ) as writer:
            writer.write_table(rows)
            writer.add_key_value_metadata({META_KEY: text})

    probe(path.parent)
    write_atomically(path, write)
    return Evidence(rows=rows, meta=meta)


def read_evidence(path: Path) -> Evidence:
    """Read evidence and verify every checksum and digest.

    Raises
    ------
    EvidenceError
        If the file is missing, damaged, or of a newer version.
    """
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            meta = _meta(file.metadata.metadata or {})
            rows = file.read().cast(EVIDENCE_SCHEMA)
        if _digest(rows) != meta["rows_digest"]:
            raise ValueError("the rows do not match their digest")
    except FileNotFoundError as error:
        raise EvidenceError(f"{path}: no such file; run planner settle") from error
    except _UNREADABLE as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise EvidenceError(
            f"{path}: cannot be read as evidence ({reason}); settle the day again"
        ) from error
    return Evidence(rows=rows.replace_schema_metadata(None), meta=meta)


def _meta(footer: dict[bytes, bytes]) -> dict[str, Any]:
    meta = parse_json(footer[META_KEY])
    if meta["schema_version"] > SCHEMA_VERSION:
        raise ValueError("written by a newer version")
    if meta["digest"] != plan_digest(meta):
        raise ValueError("the metadata do not match their digest")
    return meta


def _digest(rows: pa.Table) -> str:
    """Digest of the rows; it knows no values of one bit."""
    at = rows.schema.get_field_index("provisional")
    return rows_digest(rows.set_column(at, "provisional", rows[at].cast(pa.int8())))

"""Life-cycle emissions of a kWh by the kind of plant that generated it.

The table is ``emission_factors.csv``: medians of

- IPCC AR5: Schlömer S. et al. 2014, Annex III, Technology-specific cost and
  performance parameters, table A.III.2, in: Climate Change 2014, Mitigation of
  Climate Change, Working Group III, Fifth Assessment Report;
- IPCC SRREN: Moomaw W. et al. 2011, Annex II, Methodology, table A.II.4, in: Special
  Report on Renewable Energy Sources and Climate Change Mitigation;

and, where neither knows a kind, an assumption of ours that is stated as such.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from forecasts.errors import ForecastFormatError, ForecastUnavailableError
from inputs.errors import Finding
from inputs.files import read_one
from inputs.findings import Unreadable

COLUMNS = ("psr_type", "g_per_kwh", "source")
"""Columns that a table must have; ``name`` is for people."""

TABLE = "emission_factors.csv"
NAMED = "IPCC AR5 annex III medians"
MAX_BYTES = 1 << 20
MAX_G_PER_KWH = 3000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """Factors by type of production.

    Parameters
    ----------
    g_per_kwh
        ENTSO-E's type (psrType) to grams; None leaves a type out altogether.
    named
        What they are, for people.
    """

    g_per_kwh: Mapping[str, float | None]
    named: str


def factors_of(root: Path, path: str | None) -> Factors:
    """The table, with the rows of a user's own file in place of its own.

    Parameters
    ----------
    root
        Folder of the workspace.
    path
        CSV file with the columns ``psr_type,g_per_kwh,source``; None for the table
        alone. An empty ``g_per_kwh`` leaves a type out.

    Raises
    ------
    ForecastError
        If the file cannot be read; with every finding.
    """
    table = _parsed(files("forecasts").joinpath(TABLE).read_bytes(), TABLE)
    if path is None:
        return Factors(g_per_kwh=table, named=NAMED)
    try:
        own = _parsed(read_one(root / path, MAX_BYTES).data, path)
    except Unreadable as error:
        told = f"{path}: found {error.found}, expected {error.expected}"
        raise ForecastUnavailableError(told) from error
    return Factors(g_per_kwh={**table, **own}, named=f"{path}, else {NAMED}")


def _parsed(data: bytes, path: str) -> dict[str, float | None]:
    findings: list[Finding] = []
    factors: dict[str, float | None] = {}
    try:
        reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig")), strict=True)
        rows = list(reader)
    except (UnicodeDecodeError, csv.Error) as error:
        finding = Finding(path=path, found=str(error)[:80], expected="CSV in UTF-8")
        raise ForecastFormatError([finding]) from None
    for column in COLUMNS:
        if column not in (reader.fieldnames or ()):
            findings.append(
                Finding(path=path, field=column, found="none", expected="this column")
            )
    for number, row in enumerate([] if findings else rows, start=2):
        _take(row, number, path, factors, findings)
    if findings:
        raise ForecastFormatError(findings)
    return factors


def _take(
    row: Mapping[str, str | None],
    number: int,
    path: str,
    factors: dict[str, float | None],
    findings: list[Finding],
) -> None:
    """Take one row in, or say what is wrong with it."""
    kind, text = (row["psr_type"] or "").strip(), (row["g_per_kwh"] or "").strip()
    factor = _number(text)
    wrong = {
        "psr_type": (kind == "" or kind in factors, "a type that stands once"),
        "g_per_kwh": (
            text != "" and factor is None,
            f"0 to {MAX_G_PER_KWH:g}, or nothing to leave the type out",
        ),
        "source": (not (row["source"] or "").strip(), "where the figure comes from"),
    }
    for column, (is_wrong, expected) in wrong.items():
        if is_wrong:
            found = repr((row[column] or "")[:40])
            field = f"row {number}, {column}"
            findings.append(
                Finding(path=path, field=field, found=found, expected=expected)
            )
    factors[kind] = factor


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0 <= value <= MAX_G_PER_KWH else None

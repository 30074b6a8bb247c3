"""Jobs of a plan that found no place, and why, in words."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from outputs.plan import UNPLACED
from outputs.wording import counted, printable

_NAMED = 3
"""Jobs that share a reason and are named."""

_NO_REASON = "no reason given"


def unplaced_rows(rows: pa.Table) -> pa.Table:
    """Rows of jobs without a place, in the plan's order."""
    return rows.filter(pc.equal(rows["status"], UNPLACED))


def counted_reasons(unplaced: pa.Table) -> list[tuple[str, int]]:
    """Reasons and how many jobs have each, the most frequent first."""
    counts = pc.value_counts(unplaced["reason"].combine_chunks()).to_pylist()
    pairs = [(c["values"] or _NO_REASON, int(c["counts"])) for c in counts]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def unplaced_sentences(rows: pa.Table, *, most: int = 5) -> list[str]:
    """Who has no place and why, a sentence for each of the commonest reasons.

    Parameters
    ----------
    rows
        Rows of a plan.
    most
        Reasons that are told; what is left is counted in a last sentence.
    """
    unplaced = unplaced_rows(rows)
    reasons = counted_reasons(unplaced)
    told = [_sentence(unplaced, *pair) for pair in reasons[:most]]
    if rest := reasons[most:]:
        jobs = counted(sum(n for _, n in rest), "more job")
        told.append(f"{jobs} unplaced, for {counted(len(rest), 'other reason')}")
    return told


def _sentence(unplaced: pa.Table, reason: str, n_jobs: int) -> str:
    texts = pc.fill_null(unplaced["reason"], _NO_REASON)
    jobs = unplaced["job_id"].filter(pc.equal(texts, reason)).slice(0, _NAMED)
    names = jobs.to_pylist()
    if n_jobs > len(names):
        names.append(counted(n_jobs - len(names), "more", "more"))
    listed = " and ".join([", ".join(names[:-1]), names[-1]] if names[1:] else names)
    verb = "is" if n_jobs == 1 else "are"
    return printable(f"{listed} {verb} unplaced: {reason}")

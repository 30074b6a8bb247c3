"""The key of a dispatch: what makes a second sending recognisable as the same."""

from __future__ import annotations

import base64
import json
import re
from datetime import date
from hashlib import sha256

KEY_PATTERN = re.compile(r"p\d{8}-[a-z2-7]{26}-\d{1,3}")
"""Lower case, 40 characters at most: fits file names, Slurm, Kubernetes, AWS Batch."""

_DIGEST_CHARACTERS = 26


def dispatch_key(
    *, site: str, day: date, job_id: str, segment: int, attempt: int
) -> str:
    """Key of one attempt at one segment of one job on one planned date.

    It depends on nothing else, so that every executor, restart and later plan of
    the date arrives at the same key. 130 bits of a digest keep keys apart.

    Parameters
    ----------
    site
        Identity of the ledger; keeps sites that share a back end apart.
    day
        The planned date.
    job_id, segment
        The plan row.
    attempt
        1 for the first sending; each retry is a new dispatch.
    """
    text = json.dumps([site, day.isoformat(), job_id, segment, attempt])
    digest = base64.b32encode(sha256(text.encode()).digest()).decode().lower()
    return f"p{day:%Y%m%d}-{digest[:_DIGEST_CHARACTERS]}-{attempt}"

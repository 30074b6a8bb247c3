"""Which characters occur in a column of text, seen at the speed of memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

CONTROL = bytes(range(32)) + b"\x7f"


def holds_any(texts: pa.Array, characters: bytes) -> bool:
    """Whether any of some ASCII characters may stand in a column.

    False is certain. True may be due to a neighbour in memory of a column that is
    a part of another.
    """
    buffers = texts.buffers()
    if len(texts) == 0 or buffers[-1] is None:
        return False
    wanted = np.zeros(256, dtype=np.bool_)
    wanted[list(characters)] = True
    found: bool = wanted[np.frombuffer(buffers[-1], dtype=np.uint8)].any().item()
    return found

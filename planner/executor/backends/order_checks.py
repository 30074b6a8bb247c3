"""What no service could carry out, whatever it says when asked to."""

from __future__ import annotations

from collections.abc import Iterator

from planner.executor.backends.backend import Order
from planner.executor.backends.wording import one_line


def impossible_words(order: Order) -> Iterator[str]:
    """Words of a command, and variables, that no process can be given."""
    for word in order.command:
        if "\0" in word:
            yield f"the argument {one_line(word)!r} holds a NUL"
    for name, value in order.env.items():
        if not name or "=" in name or "\0" in name + value:
            yield f"the variable {one_line(name)!r} cannot be set"

"""TOML manifests: ``[[jobs]]`` tables."""

from __future__ import annotations

import tomllib

from inputs.findings import Unreadable
from inputs.manifests.tree import MAX_DEPTH, Document, NotADocument
from inputs.toml_lines import line_of, mistake_in


def parse_toml(text: str) -> Document:
    """Value of a TOML text.

    Raises
    ------
    NotADocument
        If it is not TOML or is nested too deeply.
    """
    try:
        root = tomllib.loads(text)
    except RecursionError:
        expected = f"at most {MAX_DEPTH} levels"
        raise NotADocument(Unreadable(expected), "deeper nesting") from None
    except ValueError as error:
        mistake = mistake_in(error)
        raise NotADocument(Unreadable("TOML"), mistake.found, mistake.line) from None

    def line(job: int, field: str | None) -> int | None:
        keys = field.split(".") if field else []
        return line_of(text, ("jobs", job, *keys))

    return Document(root, line)

"""YAML that every reader reads alike: text that could be anything else is quoted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9./_-]*")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])
"""Read as something else than text by YAML 1.1 and by some readers of 1.2."""

_NO_FOLDING = 2**31 - 1


def dump(documents: Sequence[Mapping[str, Any]]) -> str:
    """Text of documents, keys in their order."""
    import yaml

    # The one in C takes a tenth of the time; both are read alike.
    fastest: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

    class Dumper(fastest):  # type: ignore[misc]  # either class
        """Writes text in double quotes unless it is a plain word."""

        def ignore_aliases(self, data: Any) -> bool:
            """Write everything out where it stands."""
            return True

    Dumper.add_representer(str, _text)
    text: str = yaml.dump_all(
        documents,
        Dumper=Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=_NO_FOLDING,
        explicit_start=len(documents) > 1,
    )
    return text


def _text(dumper: Any, text: str) -> Any:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        style = None
    else:
        # As it stands only where no reader sees other ends of lines (U+0085, say).
        is_block = "\n" in text and text.replace("\n", "").isprintable()
        style = "|" if is_block else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

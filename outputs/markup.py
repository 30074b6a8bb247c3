"""HTML and SVG that cannot carry anything but what this program means.

``element`` escapes every child that is not markup already, so outside text can
only ever become text.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from outputs.wording import printable

VOID = frozenset({"br", "meta"})
"""HTML elements without an end tag."""


class Markup(str):
    """Text that is safe to stand in a page as it is."""

    __slots__ = ()


def escape(text: str) -> Markup:
    """Outside text as page text: control characters replaced, marks escaped."""
    return text if isinstance(text, Markup) else Markup(html.escape(printable(text)))


def element(
    tag: str, *children: str, **attributes: str | float | bool | None
) -> Markup:
    """One element.

    Parameters
    ----------
    tag
        Name of the element.
    children
        Markup is taken over, other text is escaped.
    attributes
        ``class_`` becomes ``class``, other underscores become hyphens; None and
        False leave an attribute out, True gives it no value.
    """
    opening = tag + "".join(_attribute(k, v) for k, v in attributes.items())
    if tag in VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{join(children)}</{tag}>")


def join(parts: Iterable[str], separator: str = "") -> Markup:
    """Several parts after one another, each escaped if it is not markup."""
    return Markup(separator.join(escape(part) for part in parts))


def number(value: float) -> str:
    """Coordinate with at most two decimals and no empty ones."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def _attribute(name: str, value: str | float | bool | None) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {written}"
    text = value if isinstance(value, str) else number(value)
    return f' {written}="{html.escape(printable(text))}"'

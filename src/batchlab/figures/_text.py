"""Texts as a font can be asked to draw them, and as they fit."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.text import Text

MAX_LABEL = 48  # characters, also of a column's name that a file made up


def fit_text(text: Text, title: str, room_px: float, renderer: Any) -> None:
    """Set a text, its middle left out where it is wider than its room."""
    title = plain_text(title)

    def fits(length: int) -> bool:
        text.set_text(shortened(title, length))
        return bool(text.get_window_extent(renderer).width <= room_px)

    if not fits(len(title)):
        short, long = 1, len(title)
        while long - short > 1:
            middle = (short + long) // 2
            short, long = (middle, long) if fits(middle) else (short, middle)
        text.set_text(shortened(title, short))


def plain_text(text: str) -> str:
    """Text that a font can be asked to draw: no control characters, no halves of surrogate pairs."""
    return "".join(
        " " if (word := unicodedata.category(sign)) == "Cc" else "\N{REPLACEMENT CHARACTER}" if word == "Cs" else sign
        for sign in text
    )


def shortened(text: str, length: int) -> str:
    """At most `length` characters, the middle left out: the ends of file names tell them apart."""
    if len(text) <= length:
        return text
    head = length // 2
    return text[:head] + "…" + text[len(text) - (length - head - 1) :]

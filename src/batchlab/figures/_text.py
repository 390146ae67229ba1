"""Texts as a font can be asked to draw them, and as they fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.text import Text

_WIDEST_EM = 1.05  # no ASCII sign of the font is wider
MAX_LABEL = 48  # characters, also of a column's name that a file made up


def fit_text(text: Text, title: str | Sequence[str], room_px: float, renderer: Any) -> None:
    """Set a text, its middle left out where it is wider than its room.

    Of several parts the first, the third and so on are names, each of which loses its own middle; what stands
    between them is kept.
    """
    parts = [plain_text(part) for part in ((title,) if isinstance(title, str) else title)]

    def written(length: int) -> str:
        return "".join(part if at % 2 else shortened(part, length) for at, part in enumerate(parts))

    def fits(length: int) -> bool:
        text.set_text(written(length))
        return bool(text.get_window_extent(renderer).width <= room_px)

    longest = max(map(len, parts[::2]), default=0)
    em_px = text.get_fontsize() * renderer.points_to_pixels(1.0)
    whole = "".join(parts)
    # Measuring costs as much as drawing.
    if whole.isascii() and len(whole) * _WIDEST_EM * em_px <= room_px:
        text.set_text(whole)
        return
    if not fits(longest):
        short, long = 1, longest
        while long - short > 1:
            middle = (short + long) // 2
            short, long = (middle, long) if fits(middle) else (short, middle)
        text.set_text(written(short))


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

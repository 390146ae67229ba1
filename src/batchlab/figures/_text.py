"""Texts as a font can be asked to draw them, and as they fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
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
    words = (title,) if isinstance(title, str) else title

    def fits(written: str) -> bool:
        text.set_text(written)
        return bool(text.get_window_extent(renderer).width <= room_px)

    em_px = text.get_fontsize() * renderer.points_to_pixels(1.0)
    whole = "".join(map(plain_text, words))
    # Measuring costs as much as drawing.
    text.set_text(whole if whole.isascii() and len(whole) * _WIDEST_EM * em_px <= room_px else fitted(words, fits))


def fitted(words: Sequence[str], fits: Callable[[str], bool]) -> str:
    """As much of a text as fits; its parts are those of `fit_text`."""
    parts = [plain_text(part) for part in words]

    def written(length: int) -> str:
        return "".join(part if at % 2 else shortened(part, length) for at, part in enumerate(parts))

    short, long = 1, max(map(len, parts[::2]), default=0)
    if fits(written(long)):
        return written(long)
    while long - short > 1:
        middle = (short + long) // 2
        short, long = (middle, long) if fits(written(middle)) else (short, middle)
    return written(short)


def plain_text(text: str) -> str:
    """Text that a font can be asked to draw: no control characters, no halves of surrogate pairs."""
    return "".join(
        " " if (word := unicodedata.category(sign)) == "Cc" else "\N{REPLACEMENT CHARACTER}" if word == "Cs" else sign
        for sign in text
    )


def label_text(text: str) -> str:
    """A text as it is written at an axis: its middle left out where it is too long."""
    return shortened(plain_text(text), MAX_LABEL)


def shortened(text: str, length: int) -> str:
    """At most `length` characters, the middle left out: the ends of file names tell them apart."""
    if len(text) <= length:
        return text
    head = length // 2
    return text[:head] + "…" + text[len(text) - (length - head - 1) :]

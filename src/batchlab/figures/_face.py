"""A font, measured: how long, how high and how deep its texts are, without drawing any."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from batchlab.figures._legend import Lettering

__all__ = ["Block", "Face", "face_of"]


class Block(NamedTuple):
    """How much room a line of text takes, in points: from the baseline up and down, at least as its font says."""

    width: float
    ascent: float
    descent: float


class _Letter(NamedTuple):
    """In units of the font."""

    glyph: int
    advance: int
    top: int
    bottom: int


class Face:
    """A font of one weight, as `matplotlib` finds it; get it from `face_of`.

    Attributes
    ----------
    path
        Its file, as matplotlib calls it.
    name
        As PostScript calls it.
    units
        To the em.
    box
        Left, bottom, right and top of all letters together, in units.
    ascent, descent, gap
        Of a line, and between lines, in units.
    """

    def __init__(self, path: Any, font: Any) -> None:
        self.path = path
        self.name: str = font.postscript_name
        self.units: int = font.units_per_EM
        self.box: tuple[int, ...] = font.bbox
        table = font.get_sfnt_table("OS/2")
        self.ascent: int = table["sTypoAscender"]
        self.descent: int = -table["sTypoDescender"]
        font.set_size(self.units / 64, 72)  # so that a 64th of a pixel is a unit
        self._font = font
        self._letters: dict[str, _Letter] = {}
        self._kerns: dict[tuple[int, int], int] = {}
        self.gap: int = table["sTypoLineGap"]

    def has(self, text: str) -> bool:
        """Whether the font has all letters of a text, and sets them one after the other as it stands."""
        return all(_is_simple(sign) and self._font.get_char_index(ord(sign)) for sign in text)

    def letter(self, sign: str) -> _Letter:
        """What is known of a letter that the face has."""
        known = self._letters.get(sign)
        if known is None:
            from matplotlib.ft2font import LoadFlags

            made = self._font.load_char(ord(sign), flags=LoadFlags.NO_HINTING)
            _, bottom, _, top = made.bbox
            glyph = self._font.get_char_index(ord(sign))
            known = self._letters[sign] = _Letter(glyph, round(made.linearHoriAdvance / 1024), top, bottom)
        return known

    def set(self, text: str) -> Iterator[tuple[_Letter, int]]:
        """The letters of a text, and by how much each is moved closer to the one before."""
        before = 0
        for sign in text:
            letter = self.letter(sign)
            yield letter, self._kern(before, letter.glyph) if before else 0
            before = letter.glyph

    def block(self, text: str, size: float) -> Block:
        """The room of a text of this size."""
        width, top, bottom = 0, self.ascent, -self.descent
        for letter, kern in self.set(text):
            width += letter.advance + kern
            top, bottom = max(top, letter.top), min(bottom, letter.bottom)
        scale = size / self.units
        return Block(width * scale, top * scale, -bottom * scale)

    def _kern(self, left: int, right: int) -> int:
        known = self._kerns.get((left, right))
        if known is None:
            from matplotlib.ft2font import Kerning

            known = self._kerns[left, right] = self._font.get_kerning(left, right, Kerning.UNSCALED)
        return known


def _is_simple(sign: str) -> bool:
    """Whether a letter stands for itself, left to right: no part of another, and of no script that joins its own."""
    code = ord(sign)
    known = code < 0x530 or 0x1E00 <= code < 0x2700
    return known and unicodedata.category(sign)[0] not in "MC" and unicodedata.bidirectional(sign) not in ("B", "R")


def face_of(lettering: Lettering) -> Face | None:
    """The face of a lettering; None if it, or this matplotlib, is not built as we know it. Call it within `pinned`."""
    return _face(lettering.family, lettering.weight)


@lru_cache(maxsize=16)
def _face(family: str | None, weight: str) -> Face | None:
    from matplotlib import ft2font
    from matplotlib.font_manager import FontProperties, findfont

    path = findfont(FontProperties(family=[family or "DejaVu Sans"], weight=weight))
    font = ft2font.FT2Font(str(path))  # our own, whose size nobody else changes
    is_known = hasattr(ft2font, "LoadFlags") and str(path).lower().endswith(".ttf")
    return Face(path, font) if is_known and font.get_sfnt_table("OS/2") is not None else None

"""A font as PDF files hold it: cut down to few letters, once per process, with what copies and searches them.

Every file gets the letters that figures usually use, and those besides that it has. So its bytes depend on nothing but
what is in it, and hardly any file has a font cut for itself.
"""

from __future__ import annotations

import io
import re
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from batchlab.figures._face import Face

__all__ = ["FONT_OBJECT", "USUAL", "Embedded", "embedded"]

FONT_OBJECT = 5
"""Number of the font in a file; its parts have the four numbers after it."""
USUAL = frozenset("".join(map(chr, range(0x20, 0x7F))) + "°±²³µ·×ΔΣΩαβγδηλμνρστφχω–—“”…⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉→−≈≤≥")
_DROPPED = ("GSUB", "GPOS", "GDEF", "BASE", "JSTF", "MATH", "FFTM", "DSIG", "kern", "gasp", "name", "OS/2", "cmap")
_PARTS = tuple(b"%d 0 R" % (FONT_OBJECT + at) for at in range(1, 5))


@dataclass(frozen=True, slots=True)
class Embedded:
    """A font in a PDF file.

    Attributes
    ----------
    codes
        Of each letter, by which a text of the file names it.
    objects
        Of the font, from `FONT_OBJECT` on.
    """

    codes: Mapping[str, int]
    objects: tuple[bytes, ...]


def embedded(face: Face, letters: Iterable[str]) -> Embedded:
    """A face with the usual letters and these, all of which it has."""
    return _embedded(face, frozenset(letters) - USUAL)


@lru_cache(maxsize=8)
def _embedded(face: Face, extra: frozenset[str]) -> Embedded:
    data, codes = _cut(face, sorted(sign for sign in USUAL | extra if face.has(sign)))
    return Embedded(codes, _objects(face, codes, data))


def _cut(face: Face, letters: list[str]) -> tuple[bytes, dict[str, int]]:
    """A font file with these letters alone, and their numbers in it."""
    from fontTools import subset  # type: ignore[import-untyped]

    options = subset.Options(hinting=False, notdef_outline=True, recalc_timestamp=False)
    options.drop_tables += _DROPPED
    options.font_number = getattr(face.path, "face_index", 0)
    with subset.load_font(str(face.path), options) as font:
        names = {sign: font.getGlyphName(face.letter(sign).glyph) for sign in letters}
        subsetter = subset.Subsetter(options=options)
        subsetter.populate(glyphs=[*names.values()])
        subsetter.subset(font)
        codes = {sign: font.getGlyphID(name) for sign, name in names.items()}
        file = io.BytesIO()
        subset.save_font(font, file, options)
    return file.getvalue(), codes


def _objects(face: Face, codes: Mapping[str, int], data: bytes) -> tuple[bytes, ...]:
    em = 1000 / face.units
    name = b"/BATCHL+" + re.sub(rb"[^A-Za-z0-9-]", b"", face.name.encode("ascii", "ignore"))
    advances = dict(sorted((code, round(face.letter(sign).advance * em)) for sign, code in codes.items()))
    widths = b" ".join(b"%d [%d]" % each for each in advances.items())
    ascent, descent, height = (round(side * em) for side in (face.ascent, -face.descent, face.letter("H").top))
    descendant, descriptor, file, meanings = _PARTS
    return (
        b"<< /Type /Font /Subtype /Type0 /BaseFont %b /Encoding /Identity-H /DescendantFonts [%b] /ToUnicode %b >>"
        % (name, descendant, meanings),
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont %b /FontDescriptor %b /CIDToGIDMap /Identity /W [%b] "
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>" % (name, descriptor, widths),
        b"<< /Type /FontDescriptor /FontName %b /Flags 4 /FontBBox [%b] /ItalicAngle 0 /Ascent %d /Descent %d "
        b"/CapHeight %d /StemV 80 /FontFile2 %b >>"
        % (name, b" ".join(b"%d" % round(side * em) for side in face.box), ascent, descent, height, file),
        _packed(data, b"/Length1 %d" % len(data)),
        _packed(_meanings(codes)),
    )


def _packed(data: bytes, more: bytes = b"") -> bytes:
    """An object of a file that never changes, packed as tight as can be."""
    packed = zlib.compress(data, 9)
    return b"<< /Filter /FlateDecode /Length %d %b >>\nstream\n%b\nendstream" % (len(packed), more, packed)


def _meanings(codes: Mapping[str, int]) -> bytes:
    """What letters mean, for whoever searches or copies them."""
    pairs = [b"<%04x> <%b>" % (code, sign.encode("utf-16-be").hex().encode()) for sign, code in codes.items()]
    blocks = [pairs[at : at + 100] for at in range(0, len(pairs), 100)]  # more are not allowed in one
    lists = b"\n".join(b"%d beginbfchar\n%b\nendbfchar" % (len(block), b"\n".join(block)) for block in blocks)
    return (
        b"/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
        b"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
        b"1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n%b\n"
        b"endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n" % lists
    )

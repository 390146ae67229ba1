"""PDF files without cutting their fonts anew for each.

matplotlib cuts from a font the letters that a file uses, which takes two thirds of the time of a small figure. Here the
letters that figures usually use are cut once per process, and every file gets all of them: 20 kB more. A file's bytes
depend on nothing but what is in it. Nothing of matplotlib is changed: two of its functions run with other globals.
"""

from __future__ import annotations

import io
import types
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

__all__ = ["print_pdf"]

# Parted as matplotlib parts fonts: codes of one byte, and all others.
_USUAL = (
    "".join(map(chr, range(0x20, 0x7F))) + "°±²³µ·×",
    "ΔΣΩαβγδηλμνρστφχω–—“”…⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉→−≈≤≥",
)


def print_pdf(canvas: Any, buffer: io.BytesIO, metadata: dict[str, Any]) -> None:
    """Write the figure of a ``FigureCanvasPdf``, as its own ``print_pdf`` does."""
    write = _quick_writer()
    if write is None:
        canvas.print_pdf(buffer, metadata=metadata)
    else:
        write(canvas, buffer, metadata=metadata)


@cache
def _quick_writer() -> Callable[..., None] | None:
    """Matplotlib's function, with fonts out of our memory; None for a version that is built otherwise."""
    from matplotlib.backends import backend_pdf

    fonts: Any = getattr(backend_pdf, "_backend_pdf_ps", None)
    embed: Any = getattr(backend_pdf.PdfFile, "embedTTF", None)
    write: Any = backend_pdf.FigureCanvasPdf.print_pdf
    expected = ("SubsetResults", "get_glyphs_subset", "font_as_file")
    if not all(hasattr(fonts, name) for name in expected) or not (_is_plain(embed) and _is_plain(write)):
        return None
    file = type("PdfFile", (backend_pdf.PdfFile,), {"embedTTF": _with_globals(embed, _backend_pdf_ps=_Fonts)})
    return _with_globals(write, PdfFile=file)


def _is_plain(function: Any) -> bool:
    return isinstance(function, types.FunctionType) and function.__closure__ is None


def _with_globals(function: types.FunctionType, **names: Any) -> types.FunctionType:
    """The same function, to which some names mean something else."""
    made = types.FunctionType(
        function.__code__, {**function.__globals__, **names}, function.__name__, function.__defaults__
    )
    made.__kwdefaults__ = function.__kwdefaults__
    return made


@dataclass(frozen=True, slots=True)
class _Cut:
    """A font with few of its letters: its file, and the number of each letter in it."""

    font: bytes
    glyph_index_map: dict[int, int]


class _Fonts:
    """What matplotlib asks for the fonts of a file."""

    @staticmethod
    @contextmanager
    def get_glyphs_subset(fontfile: Any, glyphs: Collection[int]) -> Iterator[_Cut]:
        wanted = frozenset(glyphs)
        usual = next((each for each in _usual_glyphs(fontfile) if wanted & each), frozenset())
        yield _cut(fontfile, wanted | usual)

    @staticmethod
    def font_as_file(font: bytes) -> io.BytesIO:
        return io.BytesIO(font)


@lru_cache(maxsize=16)
def _usual_glyphs(fontfile: Any) -> tuple[frozenset[int], ...]:
    from matplotlib.font_manager import get_font

    font = get_font(fontfile)
    return tuple(frozenset(font.get_char_index(ord(sign)) for sign in signs) - {0} for signs in _USUAL)


@lru_cache(maxsize=16)
def _cut(fontfile: Any, glyphs: frozenset[int]) -> _Cut:
    from matplotlib.backends import _backend_pdf_ps

    ours: Any = _backend_pdf_ps
    with ours.get_glyphs_subset(fontfile, glyphs) as subset:
        return _Cut(ours.font_as_file(subset.font).getvalue(), dict(subset.glyph_index_map))

"""The colours of curves: by what a curve is, legible to every kind of colour vision.

The colours are those of Okabe and Ito [1]_. Reference and sample lie on top of each other, so they differ in
lightness and width as well, and stay apart in a grey print.

References
----------
.. [1] M. Okabe and K. Ito, *Color Universal Design: how to make figures and presentations that are friendly
   to colorblind people*, 2002.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What a curve is; decides how it looks."""

    REFERENCE = "reference"
    SAMPLE = "sample"
    DIFFERENCE = "difference"
    HIGHLIGHT = "highlight"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a curve looks."""

    colour: str  # #rrggbb
    width_pt: float
    dashes: tuple[float, ...] = ()  # on, off, ... in units of the width; () is a solid line


PALETTE: Mapping[Role, Style] = MappingProxyType(
    {
        # Wider than the sample that is drawn over it: where both agree, both can still be seen.
        Role.REFERENCE: Style(colour="#000000", width_pt=1.7),
        Role.SAMPLE: Style(colour="#E69F00", width_pt=0.9),
        Role.DIFFERENCE: Style(colour="#0072B2", width_pt=0.9),
        Role.HIGHLIGHT: Style(colour="#009E73", width_pt=1.2),
        Role.LIMIT: Style(colour="#CC79A7", width_pt=1.0, dashes=(4.0, 2.0)),
    }
)

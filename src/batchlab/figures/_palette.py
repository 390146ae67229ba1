"""The colours of curves: by what a curve is, legible to every kind of colour vision.

The colours are those of Okabe and Ito [1]_. Reference and sample lie on top of each other, so they differ in
lightness and width as well, and stay apart in a grey print.

References
----------
.. [1] M. Okabe and K. Ito, *Color Universal Design: how to make figures and presentations that are friendly
   to colorblind people*, 2002.
.. [2] P. Tol, *Colour Schemes*, SRON/EPS/TN/09-002, issue 3.2, 2021.
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
    PEAK = "peak"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a curve looks."""

    colour: str  # #rrggbb
    width_pt: float
    dashes: tuple[float, ...] = ()  # on, off, ... in units of the width; () is a solid line
    marked: bool = False  # a mark at each point, and no line between them


PALETTE: Mapping[Role, Style] = MappingProxyType(
    {
        # Wider than the sample that is drawn over it: where both agree, both can still be seen.
        Role.REFERENCE: Style(colour="#000000", width_pt=1.7),
        Role.SAMPLE: Style(colour="#E69F00", width_pt=0.9),
        Role.DIFFERENCE: Style(colour="#0072B2", width_pt=0.9),
        Role.HIGHLIGHT: Style(colour="#009E73", width_pt=1.2),
        Role.LIMIT: Style(colour="#CC79A7", width_pt=1.0, dashes=(4.0, 2.0)),
        Role.PEAK: Style(colour="#8C2D04", width_pt=0.9, marked=True),
    }
)

CYCLE = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#000000", "#882255")
"""Of groups, in their order: those of Okabe and Ito, but Tol's wine [2]_ for their yellow. That hardly shows on white,
and darkened it is their orange to people without red cones."""

SYMBOLS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p", "h")
"""Of groups too: there are more of them than of colours, so that no two of the first 88 groups look the same."""

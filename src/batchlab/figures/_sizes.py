"""Sizes and wordings of a sheet, the same whoever draws it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from batchlab.figures._sheet import Plot, Sheet
from batchlab.figures._text import label_text, plain_text, shortened

__all__ = ["TITLE_SHARE", "TITLE_TOP_IN", "Sizes", "legend_room_in", "plot_title", "sizes_of", "x_wording"]

TITLE_TOP_IN = 0.09
TITLE_SHARE = 0.96  # of the sheet's width, for a title
_RAISED = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """In points, but for `scale`, which shrinks what stands in many plots."""

    scale: float

    @property
    def label(self) -> float:
        return max(7.0, 10.5 * self.scale)

    @property
    def number(self) -> float:
        return max(5.5, 9.5 * self.scale)

    @property
    def tick(self) -> float:
        return 3.5 * max(0.5, self.scale)

    @property
    def title(self) -> float:
        return max(6.0, 10.5 * self.scale)

    @property
    def title_gap(self) -> float:
        return 2.0 + 3.0 * self.scale


def sizes_of(sheet: Sheet) -> Sizes:
    """The sizes of all plots of a sheet."""
    rows = math.ceil(len(sheet.plots) / sheet.columns)
    room = min(1.0, (sheet.size_in[1] / rows) / 2.2, (sheet.size_in[0] / sheet.columns) / 3.0)
    return Sizes(scale=room * sheet.lettering.scale)


def plot_title(plot: Plot, sheet: Sheet, sizes: Sizes) -> str:
    """As much of a plot's title as fits over it."""
    room = sheet.size_in[0] * 72 / sheet.columns / (0.62 * sizes.title)
    return shortened(plain_text(plot.title), max(6, int(room)))


def x_wording(plot: Plot, sheet: Sheet) -> tuple[int | None, str, bool]:
    """How a linear x axis is written.

    Returns
    -------
    power : int or None
        Ticks are in this power of ten, a thousand's; None leaves it to their size.
    label : str
        With that power at its unit, if it has one.
    told : bool
        Whether the label tells the power, so that the corner need not.
    """
    if not plot.x_scientific or plot.x_log:
        return None, label_text(plot.x_label), False
    largest = max(map(abs, plot.x_limits))
    power = 3 * math.floor(math.log10(largest) / 3) if largest > 0 else 0
    before, _, unit = plot.x_label.rpartition("(")
    if power and before and unit.endswith(")") and not sheet.x_label:
        return power, label_text(f"{before}(10{str(power).translate(_RAISED)} {unit}"), True
    return power, label_text(plot.x_label), False


def legend_room_in(plot: Plot, sheet: Sheet) -> float:
    """Height that the legend of a plot may take."""
    return 0.75 * sheet.size_in[1] * plot.height / sum(each.height for each in sheet.plots[:: sheet.columns])

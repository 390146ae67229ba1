"""Where the parts of a picture lie, in whole pixels."""

from __future__ import annotations

from dataclasses import dataclass

from batchlab.errors import PlotError
from batchlab.figures import shortened, width_px

__all__ = ["LABEL_PT", "SMALL_PT", "TICK_PT", "TITLE_PT", "Area", "Layout", "fitted", "lay_out", "usual_size"]

TITLE_PT, LABEL_PT, TICK_PT, SMALL_PT = 11.0, 9.5, 8.5, 8.0
COLUMN_PX, ROW_PX = 1200, 300  # of a usual picture: four rows and a zoom are 2400 x 1200
_COLUMN_IN, _ROW_IN = 8.0, 2.0  # of what letters are made for
_SMALLEST = 0.65  # of letters, before words are left out
_LEAST_PANEL = 24  # pixels
_MOST_SIDE = 32_000


@dataclass(frozen=True, slots=True)
class Area:
    """A rectangle of pixels; `right` and `bottom` are the first that do not belong to it."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """In pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """In pixels."""
        return self.bottom - self.top


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Panels by row and column, colour bars by row, and baselines of what is written."""

    width: int
    height: int
    dpi: float
    panels: tuple[tuple[Area, ...], ...]
    bars: tuple[Area, ...]
    title_y: int
    column_title_y: int
    label_x: int
    y_label_x: int
    z_label_x: int
    tick_y: int
    tick_step: int
    footer_y: int

    def px(self, points: float) -> int:
        """Points as pixels, at least one."""
        return max(1, round(points * self.dpi / 72))


def usual_size(rows: int, columns: int) -> tuple[int, int]:
    """Width and height in pixels: 1200 a column, 300 a row, and never lower than two rows."""
    return COLUMN_PX * max(1, columns), ROW_PX * max(2, rows)


def lay_out(rows: int, columns: int, *, width: int, height: int, tick_rows: int, bracket: bool, titled: bool) -> Layout:
    """Part a picture.

    Parameters
    ----------
    tick_rows
        Lines of text below the lowest panels, the times among them.
    bracket
        Whether there is room below each panel for brackets.
    titled
        Whether there is a title above all.

    Raises
    ------
    PlotError
        If the picture is too small for its panels, or too large to be opened.
    """
    if max(width, height) > _MOST_SIDE:
        raise PlotError(f"{width} x {height} pixels are too many; give up to {_MOST_SIDE} a side")
    dpi = min(width / (_COLUMN_IN * min(columns, 2)), height / (_ROW_IN * max(2, rows)))
    per_pt = dpi / 72

    def px(points: float) -> int:
        return round(points * per_pt)

    left, right = px(76), width - px(92)
    top = px(11) + px(14) * titled + px(16) * (columns > 1)
    step = px(11.5)
    band = px(7) if bracket else 0
    below = band + px(6) + tick_rows * step
    bottom = height - px(19) - below
    gap_x, gap_y = px(10), px(9) + band
    panel_width = (right - left - (columns - 1) * gap_x) // columns
    panel_height = (bottom - top - (rows - 1) * gap_y) // rows
    if min(panel_width, panel_height) < _LEAST_PANEL:
        raise PlotError(
            f"{width} x {height} pixels are too few for {rows} rows and {columns} columns; "
            "make the picture larger, or show fewer"
        )
    panels = tuple(
        tuple(
            Area(x, y, x + panel_width, y + panel_height)
            for x in (left + at * (panel_width + gap_x) for at in range(columns))
        )
        for y in (top + at * (panel_height + gap_y) for at in range(rows))
    )
    edge = panels[0][-1].right
    bars = tuple(Area(edge + px(9), row[0].top, edge + px(19), row[0].bottom) for row in panels)
    return Layout(
        width=width,
        height=height,
        dpi=dpi,
        panels=panels,
        bars=bars,
        title_y=px(16),
        column_title_y=top - px(5),
        label_x=px(15),
        y_label_x=px(32),
        z_label_x=width - px(9),
        tick_y=panels[-1][0].bottom + band + px(6) + px(8),
        tick_step=step,
        footer_y=height - px(7),
    )


def fitted(text: str, size_pt: float, room_px: int, dpi: float, *, bold: bool = False) -> tuple[str, float]:
    """A text and its size, no wider than its room: smaller letters first, then without its middle."""
    wide = width_px(text, size_pt, dpi, bold=bold)
    if wide <= room_px:
        return text, size_pt
    size = size_pt * max(_SMALLEST, room_px / wide)
    length = len(text)
    while length > 1 and wide > room_px:
        # Letters differ in width, so a share of them may still be too wide.
        wide = width_px(shortened(text, length), size, dpi, bold=bold)
        length = length if wide <= room_px else min(length - 1, int(length * room_px / wide))
    return shortened(text, max(1, length)), size

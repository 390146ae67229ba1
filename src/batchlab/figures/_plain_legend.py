"""The legend of a plain plot as ink."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from batchlab.figures._face import Face
from batchlab.figures._ink import Area, Frame, Ink, Letters, Plate, Stamp, Stroke
from batchlab.figures._kind import Line
from batchlab.figures._legend import LEGEND_EDGE, Legend, emptiest_corner, legend_text, size_and_columns
from batchlab.figures._sheet import Plot, Points
from batchlab.figures._text import plain_text

__all__ = ["Key", "Sample", "key_of"]

Sample: TypeAlias = Stroke | Area | Stamp
"""Ink of a mark."""

# All in sizes of its letters.
_PAD, _ROW_GAP, _COLUMN_GAP = 0.3, 0.35, 1.0
_SAMPLE, _SAMPLE_HEIGHT, _SAMPLE_GAP = 1.6, 0.7, 0.6
_CORNER = 0.2
_AWAY_BESIDE, _AWAY_INSIDE = 0.5, 0.4
_THINNEST_PT = 1.4  # a line of a sample, so that its colour can be told


@dataclass(frozen=True, slots=True)
class _Row:
    """A sample and its name, around the baseline that both stand on."""

    sample: Sample
    lines: tuple[str, ...]
    width: float
    ascent: float
    descent: float
    last_line: float  # how high above the baseline
    line_height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A legend that knows how large it is, but not yet where it stands."""

    legend: Legend
    size: float
    title: str
    title_ascent: float
    title_height: float
    columns: tuple[tuple[_Row, ...], ...]
    edged: bool
    width: float
    height: float

    def ink(self, frame: Frame, plot: Plot) -> list[Ink]:
        """The legend of a plot with this frame."""
        left, top = self._corner(frame, plot)
        made: list[Ink] = []
        if self.legend.place not in ("right", "above"):
            ground = Frame(left=left, bottom=top - self.height, right=left + self.width, top=top)
            edge = LEGEND_EDGE if self.edged else None
            made.append(
                Plate(
                    frame=ground,
                    radius=_CORNER * self.size,
                    colour="#ffffff",
                    opacity=self.legend.opacity,
                    edge=edge,
                )
            )
        left, top = left + _PAD * self.size, top - _PAD * self.size
        if self.title:
            made.append(Letters(x=left, y=top - self.title_ascent, text=self.title, size=self.size))
            top -= self.title_height + _ROW_GAP * self.size
        first = top - max(column[0].ascent for column in self.columns)
        for column in self.columns:
            baseline = first
            for row, below in zip(column, (*column[1:], None), strict=True):
                made.append(replace(row.sample, x=row.sample.x + left, y=row.sample.y + baseline))
                x = left + (_SAMPLE + _SAMPLE_GAP) * self.size
                for at, line in enumerate(reversed(row.lines)):
                    y = baseline + row.last_line + at * row.line_height
                    made.append(Letters(x=x, y=y, text=line, size=self.size))
                if below is not None:
                    baseline -= row.descent + _ROW_GAP * self.size + below.ascent
            left += max(row.width for row in column) + _COLUMN_GAP * self.size
        return made

    def _corner(self, frame: Frame, plot: Plot) -> tuple[float, float]:
        """Left and top."""
        place = self.legend.place
        if place == "right":
            away = _AWAY_BESIDE * self.size
            return frame.right + away, frame.top - away
        if place == "above":
            return frame.left, frame.top + self.height
        if place == "best":
            curves = [mark for mark in plot.marks if isinstance(mark, Line | Points)]
            count = sum(len(column) for column in self.columns)
            place = emptiest_corner(plot.x_limits, plot.y_limits, curves, count)
        away = _AWAY_INSIDE * self.size
        across = frame.right - away - self.width if place.endswith("right") else frame.left + away
        return across, frame.top - away if place.startswith("upper") else frame.bottom + away + self.height


def key_of(plot: Plot, samples: Sequence[Sample], face: Face, *, scale: float, room_in: float) -> Key | None:
    """The legend of a plot; None where it wants none, or nothing has a name.

    Parameters
    ----------
    samples
        Of each mark, as it looks on the plot.
    scale, room_in
        Of letters; and height that the legend may take.
    """
    legend = plot.legend
    if not isinstance(legend, Legend):
        return None
    named = [
        (mark, sample, legend_text(label))
        for mark, sample in zip(plot.marks, samples, strict=True)
        if (label := mark.label)
    ]
    if not named:
        return None
    size, count = size_and_columns(legend, [label for _, _, label in named], scale=scale, room_in=room_in)
    rows = [_row(sample, label, size, face) for _, sample, label in named]
    short, longer = divmod(len(rows), count)
    ends = np.cumsum([0] + [short + 1] * longer + [short] * (count - longer)).tolist()
    columns = tuple(tuple(rows[start:end]) for start, end in pairwise(ends) if end > start)
    title = plain_text(legend.title)
    block = face.block(title, size)
    title_height = block.ascent + block.descent
    width = sum(max(row.width for row in column) for column in columns) + _COLUMN_GAP * size * (len(columns) - 1)
    tops = max(column[0].ascent for column in columns)
    lowest = max(
        sum(row.ascent + row.descent for row in column) + _ROW_GAP * size * (len(column) - 1) - column[0].ascent
        for column in columns
    )
    height = tops + lowest + (title_height + _ROW_GAP * size if title else 0.0)
    return Key(
        legend=legend,
        size=size,
        title=title,
        title_ascent=block.ascent,
        title_height=title_height,
        columns=columns,
        edged=any(isinstance(mark, Points) for mark, _, _ in named),
        width=max(width, block.width if title else 0.0) + 2 * _PAD * size,
        height=height + 2 * _PAD * size,
    )


def _row(sample: Sample, label: str, size: float, face: Face) -> _Row:
    lines = tuple(label.split("\n"))
    blocks = [face.block(line, size) for line in lines]
    ascent, descent, last_line = blocks[0].ascent, blocks[0].descent, 0.0
    gap = face.gap * size / face.units
    line_height = ascent + descent + gap
    if len(lines) > 1:  # the middle of all lines beside the middle of the sample
        height = sum(block.ascent + block.descent + gap for block in blocks)
        own = face.letter("l").top * size / face.units
        below = 0.5 * (height - own)
        last_line = blocks[-1].descent + gap / 2 - below
        ascent, descent = height - below, below
    width = (_SAMPLE + _SAMPLE_GAP) * size + max(block.width for block in blocks)
    small = _sample(sample, size)
    return _Row(small, lines, width, max(ascent, _SAMPLE_HEIGHT * size), descent, last_line, line_height)


def _sample(mark: Sample, size: float) -> Sample:
    """A mark as a legend shows it, from the left end of the baseline."""
    wide, high = _SAMPLE * size, _SAMPLE_HEIGHT * size
    match mark:
        case Stroke(width=width, dashes=dashes):
            thick = max(_THINNEST_PT, width)
            longer = tuple(dash * thick / width for dash in dashes)
            x, y = np.array([0.0, wide]), np.full(2, high / 2)
            return replace(mark, x=x, y=y, width=thick, dashes=longer, thins=False, within=None)
        case Area():
            return replace(mark, x=np.array([0.0, wide, wide, 0.0]), y=np.array([0.0, 0.0, high, high]), within=None)
        case Stamp():
            return replace(mark, x=np.array([wide / 2]), y=np.array([high / 2]))

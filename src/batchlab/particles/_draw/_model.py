"""What a picture of spectrograms shows: rows, stretches of time, marks, ticks of the orbit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from batchlab.errors import PlotError
from batchlab.particles._model import COLORMAPS, Limits, Mark, Scale, Spectrogram
from batchlab.particles._orbit import OrbitTrack
from batchlab.particles._pitch_spectrogram import PitchSpectrogram

__all__ = [
    "MarkStyle",
    "Row",
    "SpectrogramSheet",
    "Zoom",
    "instrument_grid",
    "pitch_grid",
    "zoom_around",
    "zoom_each",
]

_LEAST_WIDTH = 1.5  # of a zoom, in what it is about
_SHORTEST_S = 1e-3


class MarkStyle(StrEnum):
    """How events are shown."""

    LINE = "line"
    BRACKET = "bracket"
    BOTH = "both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One panel across the picture.

    Parameters
    ----------
    spectrogram
        What it shows, by energy or by pitch angle; None is an empty panel that keeps its place.
    category
        Which of its categories, or bands.
    label
        At its left end; None is the category with capital letters.
    limits
        Ends of the axes; what is None the data decide: colours from the 1st to the 99th percentile of what the row
        shows, energies as far as channels reach.
    y_scale, z_scale
        How energies and colours run.
    y_label, z_label
        None are "Energy (eV)" or "Pitch angle (°)", and the quantity with its unit.
    why_empty
        What an empty panel says.
    """

    spectrogram: Spectrogram | PitchSpectrogram | None
    category: str = "all"
    label: str | None = None
    limits: Limits = field(default_factory=Limits)
    y_scale: Scale = Scale.LINEAR
    z_scale: Scale = Scale.LOG
    y_label: str | None = None
    z_label: str | None = None
    why_empty: str = "no data"

    def __post_init__(self) -> None:
        shown = self.spectrogram
        if shown is not None and self.category not in names_of(shown):
            raise PlotError(f"{shown.name} has no category {self.category!r}; it has {', '.join(names_of(shown))}")
        for name, low, high in (
            ("energies", self.limits.y_min, self.limits.y_max),
            ("colours", self.limits.z_min, self.limits.z_max),
        ):
            if any(end is not None and not math.isfinite(end) for end in (low, high)):
                raise PlotError(f"limits of {name} are {low} and {high}; give finite numbers, or None")
            if low is not None and high is not None and low >= high:
                raise PlotError(f"limits of {name} are {low:g} and {high:g}; give the lower one first")


@dataclass(frozen=True, slots=True, kw_only=True)
class Zoom:
    """A stretch of time with a column of its own, in seconds since 1970, UTC without leap seconds."""

    start_s: float
    end_s: float
    title: str = "Zoomed"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.start_s) and math.isfinite(self.end_s) and self.end_s > self.start_s):
            raise PlotError(f"a zoom from {self.start_s} to {self.end_s} s shows nothing; let it end after its start")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpectrogramSheet:
    """All that a picture shows.

    Parameters
    ----------
    rows
        From top to bottom.
    title
        Above all.
    full
        Whether there is a column of all times, before the zooms.
    span
        Its times; None is from the first to the last of all rows.
    zooms
        Columns of their own; one in which no row has a record is left out.
    marks
        Events, shown in each column that they reach into.
    mark_style
        How.
    track
        Where the spacecraft was: for ticks of invariant latitude, local time and altitude.
    colormap
        A name of matplotlib's; None goes by the scales of the first row.
    bridge_s
        How many seconds without a record are no gap: so much longer a record is shown, if the next begins then.
    footer
        What is written below, before the times of data and marks.

    Raises
    ------
    PlotError
        If there is no row, or no column.
    """

    rows: tuple[Row, ...]
    title: str = ""
    full: bool = True
    span: tuple[float, float] | None = None
    zooms: tuple[Zoom, ...] = ()
    marks: tuple[Mark, ...] = ()
    mark_style: MarkStyle = MarkStyle.BOTH
    track: OrbitTrack | None = None
    colormap: str | None = None
    bridge_s: float = 0.0
    footer: str = ""

    def __post_init__(self) -> None:
        if not self.rows:
            raise PlotError("a picture without rows shows nothing; give at least one")
        if not self.full and not self.zooms:
            raise PlotError("a picture without columns shows nothing; give zooms, or all times")

    @property
    def colours(self) -> str:
        """The name of the colour map."""
        return self.colormap or COLORMAPS[self.rows[0].y_scale, self.rows[0].z_scale]


def names_of(shown: Spectrogram | PitchSpectrogram) -> tuple[str, ...]:
    """Categories of a spectrogram by energy, bands of one by pitch angle."""
    return shown.bands if isinstance(shown, PitchSpectrogram) else shown.categories


def zoom_around(marks: Sequence[Mark], minutes: float = 6.0) -> tuple[Zoom, ...]:
    """One zoom around all marks: so many minutes, or half as much again as the marks span; none without marks."""
    if not marks:
        return ()
    start, end = min(mark.start_s for mark in marks), max(mark.end_s for mark in marks)
    half = 0.5 * max(60.0 * minutes, _LEAST_WIDTH * (end - start), _SHORTEST_S)
    middle = 0.5 * (start + end)
    return (Zoom(start_s=middle - half, end_s=middle + half),)


def zoom_each(marks: Sequence[Mark], minutes: float = 6.0) -> tuple[Zoom, ...]:
    """A zoom around each mark, as of `zoom_around`, titled with the mark's label."""
    zooms = [zoom_around((mark,), minutes)[0] for mark in sorted(marks)]
    return tuple(
        Zoom(start_s=zoom.start_s, end_s=zoom.end_s, title=mark.label or zoom.title)
        for zoom, mark in zip(zooms, sorted(marks), strict=True)
    )


def pitch_grid(
    spectrogram: Spectrogram | PitchSpectrogram,
    *,
    limits: Mapping[str, Limits] | None = None,
    y_scale: Scale = Scale.LINEAR,
    z_scale: Scale = Scale.LOG,
) -> tuple[Row, ...]:
    """A row for each category of one instrument.

    Parameters
    ----------
    limits
        By category; those of ``all`` are for all that are not named.
    """
    given = limits or {}
    return tuple(
        Row(
            spectrogram=spectrogram,
            category=name,
            limits=given.get(name, given.get("all", Limits())),
            y_scale=y_scale,
            z_scale=z_scale,
        )
        for name in names_of(spectrogram)
    )


def instrument_grid(
    spectrograms: Mapping[str, Spectrogram | None],
    *,
    category: str = "all",
    limits: Mapping[str, Limits] | None = None,
    y_scale: Scale = Scale.LINEAR,
    z_scale: Scale = Scale.LOG,
) -> tuple[Row, ...]:
    """A row for each instrument, in the order given; limits by instrument; None keeps an empty row."""
    return tuple(
        Row(
            spectrogram=spectrogram,
            category=category,
            label=name,
            limits=(limits or {}).get(name, Limits()),
            y_scale=y_scale,
            z_scale=z_scale,
        )
        for name, spectrogram in spectrograms.items()
    )

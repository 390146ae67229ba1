"""Line cuts through spectrograms: along energy, along time, along pitch angle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import PlotError
from batchlab.figures import CYCLE, Line, Name, Plot, Sheet
from batchlab.particles._draw._model import Zoom
from batchlab.particles._draw._ticks import clock, stamp, time_ticks
from batchlab.particles._model import Scale, Spectrogram

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float, Float32
    from batchlab.particles._pitch_spectrogram import PitchSpectrogram

__all__ = ["energy_cut", "pitch_cut", "time_cut"]

_SIZE_IN, _DPI = (8.0, 5.0), 150.0
_MOST_TICKS = 7
_WIDTH_PT = 1.3


def energy_cut(
    spectrogram: Spectrogram, spans: Sequence[Zoom], *, categories: Sequence[str] = ("all",), title: str = ""
) -> Sheet:
    """Spectra: the mean over stretches of time against energy, both logarithmic.

    Parameters
    ----------
    spans
        One curve each for every category; records that begin within count. Records of different modes have curves of
        their own, since their channels differ. Its title names a curve, else its times.

    Raises
    ------
    PlotError
        If no span has two channels of a positive mean.
    """
    curves: list[tuple[str, Float, Float]] = []
    for span in spans:
        within = _within(spectrogram.times_s, span)
        for category in categories:
            values = _of(spectrogram.values, spectrogram.categories, category, spectrogram.name)
            modes = np.unique(spectrogram.mode[within]).tolist()
            for mode in modes:
                energies = spectrogram.energies_ev[mode]
                means = _mean(values[within & (spectrogram.mode == mode), : energies.size])
                channels = f"{energies.size} channels" if len(modes) > 1 else ""
                curves.append((_joined(_when(span), category, channels), energies, _positive(means)))
    return _sheet(
        curves,
        x_label="Energy (eV)",
        y_label=_label(spectrogram),
        title=title or spectrogram.name,
        x_log=True,
        y_log=True,
    )


def time_cut(
    spectrogram: Spectrogram,
    energies_ev: Sequence[float],
    *,
    category: str = "all",
    z_scale: Scale = Scale.LOG,
    title: str = "",
) -> Sheet:
    """The values of the channels that hold some energies against time, broken where there are gaps.

    Parameters
    ----------
    energies_ev
        A curve each. Every record is asked for its own channel, by its mode.

    Raises
    ------
    PlotError
        If no energy has two values to show.
    """
    values = _of(spectrogram.values, spectrogram.categories, category, spectrogram.name)
    times = spectrogram.times_s
    curves: list[tuple[str, Float, Float]] = []
    for energy in energies_ev:
        found = np.full(len(times), np.nan)
        for mode in np.unique(spectrogram.mode).tolist():
            edges = spectrogram.energy_edges_ev[mode]
            channel = int(np.searchsorted(edges, energy, side="right")) - 1
            if 0 <= channel < edges.size - 1:
                of_mode = spectrogram.mode == mode
                found[of_mode] = values[of_mode, channel]
        x, y = _broken(times, _positive(found) if z_scale is Scale.LOG else found)
        curves.append((f"{energy:g} eV", x, y))
    span = (float(times[0, 0]), float(times[:, 1].max()))
    ticks = time_ticks(span, lambda _: _MOST_TICKS)
    return _sheet(
        curves,
        x_label=f"UTC, from {stamp(span[0])}",
        y_label=_label(spectrogram),
        title=title or f"{spectrogram.name}, {category}",
        y_log=z_scale is Scale.LOG,
        x_limits=span,
        x_names=tuple(Name(at=tick.at, text=tick.text) for tick in ticks),
    )


def pitch_cut(shown: PitchSpectrogram, spans: Sequence[Zoom], *, bands: Sequence[str] = (), title: str = "") -> Sheet:
    """Pitch-angle distributions: the mean over stretches of time against pitch angle, for bands of energy.

    Raises
    ------
    PlotError
        If no band has two angles of a positive mean.
    """
    edges = shown.pitch_edges_deg
    middles = 0.5 * (edges[1:] + edges[:-1])
    curves = [
        (
            _joined(_when(span) if len(spans) > 1 else "", band),
            middles,
            _positive(_mean(_of(shown.values, shown.bands, band, shown.name)[_within(shown.times_s, span)])),
        )
        for span in spans
        for band in bands or shown.bands
    ]
    step = 30 if edges[-1] <= 180 else 45
    return _sheet(
        curves,
        x_label="Pitch angle (°)",
        y_label=_label(shown),
        title=title or (_joined(shown.name, _when(spans[0])) if len(spans) == 1 else shown.name),
        y_log=True,
        x_limits=(float(edges[0]), float(edges[-1])),
        x_names=tuple(Name(at=float(at), text=f"{at}") for at in range(0, round(float(edges[-1])) + 1, step)),
    )


def _sheet(
    curves: Sequence[tuple[str, Float, Float]],
    *,
    x_label: str,
    y_label: str,
    title: str,
    y_log: bool,
    x_log: bool = False,
    x_limits: tuple[float, float] | None = None,
    x_names: tuple[Name, ...] = (),
) -> Sheet:
    known = [(label, x, y) for label, x, y in curves if np.isfinite(y).sum() > 1]
    if not known:
        raise PlotError(f"{title}: no cut has two values to show; choose other times, energies or categories")
    x_seen = np.concatenate([x[np.isfinite(y)] for _, x, y in known])
    y_seen = np.concatenate([y[np.isfinite(y)] for _, _, y in known])
    lines = tuple(
        Line(x=x, y=y, label=label, colour=CYCLE[at % len(CYCLE)], width_pt=_WIDTH_PT)
        for at, (label, x, y) in enumerate(known)
    )
    plot = Plot(
        marks=lines,
        x_limits=x_limits or _around(x_seen, log=x_log),
        y_limits=_around(y_seen, log=y_log),
        x_label=x_label,
        y_label=y_label,
        x_log=x_log,
        y_log=y_log,
        x_names=x_names,
        legend=True,
    )
    return Sheet(plots=(plot,), title=title, size_in=_SIZE_IN, dpi=_DPI)


def _around(values: Float, *, log: bool) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if log:
        return low / 1.3, high * 1.3
    room = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def _of(values: Float32, names: Sequence[str], name: str, instrument: str) -> Float32:
    if name not in names:
        raise PlotError(f"{instrument} has no {name!r}; it has {', '.join(names)}")
    return np.asarray(values[names.index(name)])


def _within(times_s: Float, span: Zoom) -> NDArray[np.bool_]:
    return np.asarray((times_s[:, 0] >= span.start_s) & (times_s[:, 0] < span.end_s))


def _mean(values: Float32) -> Float:
    """Of each column, over what is known; NaN where nothing is."""
    known = np.isfinite(values)
    number = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0, dtype=np.float64)
    means = np.full(number.shape, np.nan)
    np.divide(total, number, out=means, where=number > 0)
    return means


def _positive(values: Float) -> Float:
    return np.where(values > 0, values, np.nan)


def _broken(times_s: Float, values: Float) -> tuple[Float, Float]:
    """Values at the middles of records; a NaN between records with more than half a record between them."""
    middles = times_s.mean(axis=1)
    gaps = np.flatnonzero(times_s[1:, 0] - times_s[:-1, 1] > 0.5 * (times_s[:-1, 1] - times_s[:-1, 0])) + 1
    return np.insert(middles, gaps, times_s[gaps - 1, 1]), np.insert(values, gaps, np.nan)


def _label(shown: Spectrogram | PitchSpectrogram) -> str:
    return f"{shown.quantity} ({shown.unit})" if shown.unit else shown.quantity


def _when(span: Zoom) -> str:
    if span.title != "Zoomed":
        return span.title
    return f"{clock(span.start_s, '%H:%M:%S')} to {clock(span.end_s, '%H:%M:%S')}"


def _joined(*parts: str) -> str:
    return ", ".join(part for part in parts if part)

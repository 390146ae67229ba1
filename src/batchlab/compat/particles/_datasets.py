"""Spectrograms out of plain arrays: datasets as mappings, one panel each, drawn together or alone."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from batchlab.compat.particles._words import row_wishes, scales_of
from batchlab.errors import DataError
from batchlab.particles._distribution import energy_table
from batchlab.particles._draw import DrawnSpectrograms, Row, SpectrogramSheet, Zoom, draw
from batchlab.particles._model import Limits, Mark, Scale, Spectrogram
from batchlab.particles._store import pack, unpack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.particles._model import Float

__all__ = [
    "Dataset",
    "Panel",
    "generic_plot_spectrogram_set",
    "make_spectrogram",
    "panel_of",
    "panels_drawn",
    "read_panels",
    "write_panels",
]

Dataset: TypeAlias = Mapping[str, Any]

Y_LABEL, Z_LABEL = "Energy (eV)", "Counts"
_MAGIC = b"spectrograms\x00"
_GAP = 1.5  # times the usual step: beyond it there is a gap


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Panel:
    """A row of a picture: what it shows, and what is asked of it."""

    spectrogram: Spectrogram
    wishes: Mapping[str, Any]


def make_spectrogram(
    x: Any,
    y: Any,
    data: Any,
    *,
    y_scale: str = "linear",
    z_scale: str = "log",
    y_min: float | None = None,
    y_max: float | None = None,
    z_min: float | None = None,
    z_max: float | None = None,
    vmin: float | None = None,
    vmax: float | None = None,
    y_label: str = Y_LABEL,
    z_label: str = Z_LABEL,
    label: str = "",
    title: str = "",
    colormap: str = "viridis",
    output_path: str | os.PathLike[str] | None = None,
    size_px: tuple[int, int] | None = None,
) -> DrawnSpectrograms:
    """Draw one spectrogram.

    Parameters
    ----------
    x
        (N,) centres of records, or (N, 2) starts and ends, in seconds since 1970, UTC.
    y
        (E,) energies, or (N, E) where they change; in eV unless `y_label` says otherwise.
    data
        (N, E), or (N, A, E) with directions that are added up; NaN where nothing was measured.
    y_scale, z_scale
        ``linear`` or ``log``.
    y_min, y_max, z_min, z_max
        Ends of the axes; energies by the data where they are left out, colours from the 1st to the 99th percentile.
    vmin, vmax
        Other names of `z_min` and `z_max`, which are taken first.
    y_label, z_label, label, title
        Of the axis, of the colours, at the left end, and above.
    colormap
        A name of matplotlib's.
    output_path
        Where the picture is written, in the format that the name ends in.
    size_px
        Width and height.

    Returns
    -------
    DrawnSpectrograms
        The picture; its `facts` tell the limits that were used.

    Raises
    ------
    DataError
        If the arrays do not go together.
    """
    dataset = {
        "x": x, "y": y, "data": data, "y_label": y_label, "z_label": z_label, "label": label,
        "y_min": y_min, "y_max": y_max, "z_min": z_min, "z_max": z_max, "vmin": vmin, "vmax": vmax,
    }  # fmt: skip
    return generic_plot_spectrogram_set(
        [dataset],
        title=title,
        y_scale=y_scale,
        z_scale=z_scale,
        colormap=colormap,
        output_path=output_path,
        size_px=size_px,
    )


def generic_plot_spectrogram_set(
    datasets: Sequence[Dataset],
    *,
    title: str = "",
    y_scale: str = "linear",
    z_scale: str = "log",
    colormap: str = "viridis",
    zoom_center: float | None = None,
    zoom_window_seconds: float | None = None,
    vertical_lines: Sequence[float] = (),
    output_path: str | os.PathLike[str] | None = None,
    size_px: tuple[int, int] | None = None,
) -> DrawnSpectrograms:
    """Draw several spectrograms over one time, a row for each.

    Parameters
    ----------
    datasets
        Each with ``x``, ``y`` and ``data`` as of `make_spectrogram`, and on wish ``label``, ``y_label``, ``z_label``,
        ``y_min``, ``y_max``, ``z_min``, ``z_max``, ``vmin``, ``vmax``.
    zoom_center, zoom_window_seconds
        A second column: around when, in seconds since 1970, and how wide.
    vertical_lines
        Times that are marked.

    Other parameters, what is returned and what is raised are as of `make_spectrogram`.
    """
    panels = [panel_of(each, at) for at, each in enumerate(datasets)]
    drawn = panels_drawn(
        panels,
        scales=scales_of(y_scale, z_scale),
        title=title,
        colormap=colormap,
        zoom=None if zoom_center is None else (zoom_center, zoom_window_seconds or 60.0),
        lines=tuple(vertical_lines),
        size_px=size_px,
    )
    if output_path is not None:
        Path(output_path).parent.mkdir(parents=True, exist_ok=True)
        drawn.save(Path(output_path))
    return drawn


def panels_drawn(
    panels: Sequence[Panel],
    *,
    scales: tuple[Scale, Scale],
    title: str,
    colormap: str,
    zoom: tuple[float, float] | None,
    lines: Sequence[float],
    size_px: tuple[int, int] | None,
) -> DrawnSpectrograms:
    """The picture; a zoom is its middle and its width in s."""
    rows = []
    for panel in panels:
        said = dict(panel.wishes)
        limits = Limits(**{name: said.pop(name) for name in ("y_min", "y_max", "z_min", "z_max") if name in said})
        rows.append(Row(spectrogram=panel.spectrogram, limits=limits, y_scale=scales[0], z_scale=scales[1], **said))
    zooms = () if zoom is None else (Zoom(start_s=zoom[0] - zoom[1] / 2, end_s=zoom[0] + zoom[1] / 2),)
    sheet = SpectrogramSheet(
        rows=tuple(rows),
        title=title,
        zooms=zooms,
        marks=tuple(Mark(start_s=float(each), end_s=float(each)) for each in lines),
        colormap=colormap,
    )
    width, height = size_px or (None, None)
    return draw(sheet, width_px=width, height_px=height)


def panel_of(dataset: Dataset, at: int = 0) -> Panel:
    """A dataset as a panel.

    Raises
    ------
    DataError
        If an array is not there, or does not go with the others.
    """
    missing = [name for name in ("x", "y", "data") if dataset.get(name) is None]
    if missing:
        raise DataError(f"dataset {at} has no {missing[0]!r}; give x, y and data", reason="missing-variable")
    wishes = {"label": f"{at + 1}", "y_label": Y_LABEL, "z_label": Z_LABEL, **row_wishes(dataset)}
    return Panel(spectrogram=_spectrogram(dataset, at, wishes["z_label"]), wishes=wishes)


def _spectrogram(dataset: Dataset, at: int, quantity: str) -> Spectrogram:
    x = np.asarray(dataset["x"], np.float64)
    y = np.asarray(dataset["y"], np.float64)
    data = np.asarray(dataset["data"], np.float32)
    fits = x.ndim in (1, 2) and y.ndim in (1, 2) and data.ndim in (2, 3)
    if not fits or len(data) != len(x) or data.shape[-1] != y.shape[-1] or (y.ndim == 2 and len(y) != len(x)):
        raise DataError(
            f"dataset {at}: x has shape {x.shape}, y {y.shape} and data {data.shape}; give (N,), (E,) and (N, E) or "
            "(N, A, E)",
            reason="bad-shape",
        )
    if data.ndim == 3:
        known = np.isfinite(data).any(axis=1)
        data = np.where(known, np.nansum(data, axis=1), np.nan).astype(np.float32)
    times = _edges(x) if x.ndim == 1 else x
    known = np.isfinite(times).all(axis=1)
    order = np.flatnonzero(known)[np.argsort(times[known, 0], kind="stable")]
    if not len(order):
        raise DataError(f"dataset {at} has no record with a time", reason="empty")
    tables, mode = _tables(y, len(x))
    widest = max(len(table.channels) for table in tables)
    values = np.full((1, len(order), widest), np.nan, np.float32)
    for number, table in enumerate(tables):
        ours = mode[order] == number
        values[0, ours, : len(table.channels)] = table.gather(data[order[ours]])
    return Spectrogram(
        name=str(dataset.get("label") or at + 1),
        quantity=quantity,
        unit="",
        categories=("all",),
        times_s=times[order],
        mode=mode[order],
        energy_edges_ev=tuple(table.edges_ev for table in tables),
        energies_ev=tuple(table.energies_ev for table in tables),
        values=values,
    )


def _tables(y: Float, records: int) -> tuple[list[Any], NDArray[np.uint8]]:
    if y.ndim == 1:
        return [energy_table(y)[0]], np.zeros(records, np.uint8)
    rows, mode = np.unique(y, axis=0, return_inverse=True)
    if len(rows) > 255:
        raise DataError("y changes more than 255 times; give energies that stay for a while", reason="bad-shape")
    return [energy_table(row)[0] for row in rows], mode.reshape(-1).astype(np.uint8)


def _edges(centres: Float) -> Float:
    """Starts and ends of records half-way to their neighbours, and no farther than usual where there is a gap."""
    if len(centres) < 2:
        return np.column_stack((centres - 0.5, centres + 0.5))
    order = np.argsort(centres, kind="stable")
    steps = np.diff(centres[order])
    usual = float(np.median(steps[steps > 0])) if (steps > 0).any() else 1.0
    reach = np.where(steps <= _GAP * usual, steps, usual) / 2
    edges = np.empty((len(centres), 2))
    edges[order, 0] = centres[order] - np.concatenate(([usual / 2], reach))
    edges[order, 1] = centres[order] + np.concatenate((reach, [usual / 2]))
    return edges


def write_panels(path: Path, panels: Sequence[Panel]) -> None:
    """Keep panels in a file, whole or not at all."""
    packed = [pack(each.spectrogram) for each in panels]
    head = json.dumps([[len(data), dict(each.wishes)] for data, each in zip(packed, panels, strict=True)]).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_bytes(_MAGIC + len(head).to_bytes(8, "little") + head + b"".join(packed))
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def read_panels(path: Path) -> list[Panel]:
    """The panels that were kept; DataError if the file is not what `write_panels` writes."""
    data = path.read_bytes()
    start = len(_MAGIC) + 8
    try:
        if not data.startswith(_MAGIC):
            raise ValueError("it begins otherwise")
        at = start + int.from_bytes(data[len(_MAGIC) : start], "little")
        panels = []
        for length, wishes in json.loads(data[start:at]):
            panels.append(Panel(spectrogram=unpack(data[at : at + length]), wishes=wishes))
            at += length
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path}: no spectrograms are kept in it ({error}); remove it and run again") from error
    return panels

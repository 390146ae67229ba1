"""One picture of FAST by a call: all instruments of an orbit, or the pitch angles of one file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from batchlab.compat.particles._datasets import Y_LABEL, Z_LABEL
from batchlab.compat.particles._words import instruments_of, row_params, row_wishes, scales_of
from batchlab.errors import ConfigError
from batchlab.particles._draw import DrawnSpectrograms, MarkStyle, Row, SpectrogramSheet, draw, zoom_around
from batchlab.particles._events import marks_of_records
from batchlab.particles._files import data_file
from batchlab.particles._model import INSTRUMENTS, Collapse, Limits, Mark, Quantity, Spectrogram
from batchlab.particles._read import read_spectrogram, read_times

__all__ = ["FAST_plot_instrument_grid", "FAST_plot_pitch_angle_grid", "fast_datasets"]

_PathLike = str | os.PathLike[str]
_LIMITS = ("y_min", "y_max", "z_min", "z_max")


def fast_datasets(
    paths: Mapping[str, _PathLike] | Sequence[_PathLike], instrument_order: Sequence[str] = INSTRUMENTS
) -> list[dict[str, Any]]:
    """Rows of files, to be changed and handed to `FAST_plot_instrument_grid`.

    Parameters
    ----------
    paths
        By instrument, or files whose names tell theirs.
    instrument_order
        Which ones, in the order of their rows.

    Returns
    -------
    list of dict
        ``path``, ``label``, ``y_label`` and ``z_label``; ``y_min``, ``y_max``, ``z_min`` and ``z_max`` may be added.
    """
    if isinstance(paths, Mapping):
        named = {name.lower(): Path(path) for name, path in paths.items()}
    else:
        named = {data_file(path).instrument: Path(path) for path in paths}
    rows = [
        {"path": named[name], "label": name, "y_label": Y_LABEL, "z_label": Z_LABEL}
        for name in instruments_of(instrument_order)
        if name in named
    ]
    if not rows:
        raise ConfigError(f"no file of {', '.join(instrument_order)} is given; name them, as in {{'ees': PATH}}")
    return rows


def FAST_plot_instrument_grid(
    cdf_file_paths: Mapping[str, _PathLike] | Sequence[_PathLike] | Sequence[Mapping[str, Any]],
    *,
    instrument_order: Sequence[str] = INSTRUMENTS,
    y_scale: str = "linear",
    z_scale: str = "log",
    y_min: float | None = None,
    y_max: float | None = None,
    z_min: float | None = None,
    z_max: float | None = None,
    row_overrides: Mapping[str, Mapping[str, Any]] | None = None,
    colormap: str = "viridis",
    zoom_duration_minutes: float = 6.25,
    marked_records: Mapping[str, tuple[int, int]] | None = None,
    vertical_lines: Sequence[float] = (),
    cusp_marker_style: str = "both",
    title: str | None = None,
    output_path: _PathLike | None = None,
    size_px: tuple[int, int] | None = None,
) -> DrawnSpectrograms:
    """Draw the instruments of an orbit, a row for each with limits of its own.

    Parameters
    ----------
    cdf_file_paths
        By instrument, or files whose names tell theirs, or rows of `fast_datasets`.
    instrument_order
        Which ones, in the order of their rows.
    y_scale, z_scale
        ``linear`` or ``log``, of energy and of counts.
    y_min, y_max, z_min, z_max
        Of all rows; a row's own come before them. Where nothing is said the row's data decide.
    row_overrides
        By instrument: ``y_min``, ``y_max``, ``z_min``, ``z_max`` (or ``vmin``, ``vmax``), ``label``, ``y_label``,
        ``z_label``.
    colormap
        A name of matplotlib's.
    zoom_duration_minutes
        Width of the column around what is marked.
    marked_records
        By instrument: first and last record, counted from 0. The first instrument that has some decides.
    vertical_lines
        Times that are marked, in seconds since 1970.
    cusp_marker_style
        ``line``, ``bracket`` or ``both``.
    title
        By default the orbit.
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
    InvalidCdf, MissingVariable, EmptyFile
        If no file can be read; one that cannot leaves its row empty.
    """
    from batchlab.errors import DataError

    datasets = _datasets(cdf_file_paths, instrument_order)
    overrides = row_params(row_overrides)
    shared = Limits(y_min=y_min, y_max=y_max, z_min=z_min, z_max=z_max)
    scales = scales_of(y_scale, z_scale)
    rows, shown, failure = [], {}, None
    for dataset in datasets:
        name = data_file(dataset["path"]).instrument
        said = {**row_wishes(dataset), **overrides.get(name, {})}
        own = {each: said.pop(each) for each in _LIMITS if each in said}
        spectrogram: Spectrogram | None = None
        try:
            spectrogram = read_spectrogram(dataset["path"], quantity=Quantity.COUNTS, collapse=Collapse.SUM)
            shown[name] = Path(dataset["path"])
        except DataError as error:
            failure = failure or error
        rows.append(
            Row(
                spectrogram=spectrogram,
                limits=replace(shared, **own),
                y_scale=scales[0],
                z_scale=scales[1],
                why_empty="could not be read",
                **said,
            )
        )
    if failure is not None and not shown:
        raise failure
    marks = _marks(shown, marked_records or {}, vertical_lines)
    orbit = data_file(datasets[0]["path"]).orbit
    return _drawn(
        tuple(rows),
        title=f"FAST, orbit {orbit}" if title is None else title,
        marks=marks,
        minutes=zoom_duration_minutes,
        style=cusp_marker_style,
        colormap=colormap,
        output_path=output_path,
        size_px=size_px,
    )


def FAST_plot_pitch_angle_grid(
    cdf_file_path: _PathLike,
    *,
    y_scale: str = "linear",
    z_scale: str = "log",
    y_min: float | None = None,
    y_max: float | None = None,
    z_min: float | None = None,
    z_max: float | None = None,
    row_overrides: Mapping[str, Mapping[str, Any]] | None = None,
    colormap: str = "viridis",
    zoom_duration_minutes: float = 6.25,
    marked_records: tuple[int, int] | None = None,
    vertical_lines: Sequence[float] = (),
    cusp_marker_style: str = "both",
    title: str | None = None,
    output_path: _PathLike | None = None,
    size_px: tuple[int, int] | None = None,
) -> DrawnSpectrograms:
    """Draw one file: all directions, downgoing, upgoing and perpendicular ones, a row for each.

    Parameters are as of `FAST_plot_instrument_grid`, `row_overrides` by category and `marked_records` of this file.

    Returns
    -------
    DrawnSpectrograms
        The picture; its `facts` tell the limits that were used.

    Raises
    ------
    InvalidCdf, MissingVariable, EmptyFile
        If the file cannot be read.
    """
    path = Path(cdf_file_path)
    scales = scales_of(y_scale, z_scale)
    overrides = row_params(row_overrides)
    shared = Limits(y_min=y_min, y_max=y_max, z_min=z_min, z_max=z_max)
    spectrogram = read_spectrogram(path, quantity=Quantity.COUNTS, collapse=Collapse.SUM)
    rows = []
    for category in spectrogram.categories:
        said = {"y_label": Y_LABEL, "z_label": Z_LABEL, **overrides.get(category, {})}
        own = {each: said.pop(each) for each in _LIMITS if each in said}
        rows.append(
            Row(
                spectrogram=spectrogram,
                category=category,
                limits=replace(shared, **own),
                y_scale=scales[0],
                z_scale=scales[1],
                **said,
            )
        )
    named = data_file(path)
    records = {} if marked_records is None else {named.instrument: marked_records}
    return _drawn(
        tuple(rows),
        title=f"FAST {named.instrument}, orbit {named.orbit}" if title is None else title,
        marks=_marks({named.instrument: path}, records, vertical_lines),
        minutes=zoom_duration_minutes,
        style=cusp_marker_style,
        colormap=colormap,
        output_path=output_path,
        size_px=size_px,
    )


def _datasets(
    given: Mapping[str, _PathLike] | Sequence[_PathLike] | Sequence[Mapping[str, Any]], order: Sequence[str]
) -> list[dict[str, Any]]:
    if isinstance(given, Mapping):
        return fast_datasets(given, order)
    rows = [dict(each) for each in given if isinstance(each, Mapping)]
    return rows or fast_datasets([each for each in given if not isinstance(each, Mapping)], order)


def _marks(
    paths: Mapping[str, Path], records: Mapping[str, tuple[int, int]], lines: Sequence[float]
) -> tuple[Mark, ...]:
    marks = [Mark(start_s=float(each), end_s=float(each)) for each in lines]
    for name, path in paths.items():
        if name in records:
            mark = marks_of_records(read_times(path), *records[name])
            if mark is not None:
                marks.append(mark)
                break
    return tuple(sorted(marks))


def _drawn(
    rows: tuple[Row, ...],
    *,
    title: str,
    marks: tuple[Mark, ...],
    minutes: float,
    style: str,
    colormap: str,
    output_path: _PathLike | None,
    size_px: tuple[int, int] | None,
) -> DrawnSpectrograms:
    sheet = SpectrogramSheet(
        rows=rows,
        title=title,
        zooms=zoom_around(marks, minutes),
        marks=marks,
        mark_style=MarkStyle(style),
        colormap=colormap,
    )
    width, height = size_px or (None, None)
    drawn = draw(sheet, width_px=width, height_px=height)
    if output_path is not None:
        Path(output_path).parent.mkdir(parents=True, exist_ok=True)
        drawn.save(Path(output_path))
    return drawn

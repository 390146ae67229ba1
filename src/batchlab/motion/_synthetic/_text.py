"""Text files as motion capture programs export them, and NDI's binary form."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from batchlab.motion._model import Float, Recording

__all__ = [
    "write_dlc",
    "write_motive",
    "write_n3d",
    "write_qualisys",
    "write_tidy",
    "write_trc",
    "write_vicon",
    "write_wide",
]

_MM = 1000.0
_ORIGINAL = ("OrigDataRate", "OrigDataStartFrame", "OrigNumFrames")


def write_trc(path: Path, recording: Recording, *, separator: str = "\t", stated_frames: int | None = None) -> None:
    """TRC in mm, with tabs or commas; `stated_frames` makes the header lie."""
    frames = recording.times_s.size if stated_frames is None else stated_frames
    count, rate = len(recording.markers), _number(recording.rate_hz or 0.0)
    lines: list[Sequence[str]] = [
        ["PathFileType", "4", "(X/Y/Z)", path.name],
        ["DataRate", "CameraRate", "NumFrames", "NumMarkers", "Units", *_ORIGINAL],
        [rate, rate, str(frames), str(count), "mm", rate, "1", str(frames)],
        ["Frame#", "Time", *(cell for marker in recording.markers for cell in (marker, "", ""))],
        ["", "", *(f"{axis}{number}" for number in range(1, count + 1) for axis in "XYZ")],
        [""],
    ]
    rows = ([str(n), f"{t:.6f}", *cells] for n, t, cells in _rows(recording, _MM, first=1))
    _write(path, lines, rows, separator)


def write_vicon(path: Path, recording: Recording) -> None:
    """Vicon Nexus' ASCII export, section Trajectories, in mm."""
    count = len(recording.markers)
    lines: list[Sequence[str]] = [
        ["Trajectories"],
        [_number(recording.rate_hz or 0.0)],
        ["", "", *(cell for marker in recording.markers for cell in (marker, "", ""))],
        ["Frame", "Sub Frame", *"XYZ" * count],
        ["", "", *("mm",) * (3 * count)],
    ]
    rows = ([str(n), "0", *cells] for n, _, cells in _rows(recording, _MM, first=1))
    _write(path, lines, rows, ",")


def write_wide(path: Path, recording: Recording) -> None:
    """A column per coordinate, which names its unit: ``m1_x_mm``; pixels as ``p1_x_px``."""
    unit, factor, axes = _unit(recording)
    names = [f"{marker}_{axis}_{unit}" for marker in recording.markers for axis in axes]
    rows = ([str(n), f"{t:.6f}", *cells] for n, t, cells in _rows(recording, factor))
    _write(path, [["frame", "time_s", *names]], rows, ",")


def write_tidy(path: Path, recording: Recording) -> None:
    """A row per marker and frame, in mm or pixels; nothing is written where nothing was seen."""
    unit, factor, axes = _unit(recording)
    confidence = recording.confidence
    head = ["frame", "time_s", "keypoint", *(f"{axis}_{unit}" for axis in axes)]
    if confidence is not None:
        head.append("confidence")

    def rows() -> Iterable[Sequence[str]]:
        size = len(axes)
        for frame, (n, t, cells) in enumerate(_rows(recording, factor)):
            for place, marker in enumerate(recording.markers):
                values = cells[size * place : size * place + size]
                if not all(values):
                    continue
                also = [] if confidence is None else [f"{confidence[frame, place]:.4f}"]
                yield [str(n), f"{t:.6f}", marker, *values, *also]

    _write(path, [head], rows(), ",")


def write_dlc(path: Path, recording: Recording, *, likelihood: bool = True) -> None:
    """DeepLabCut's three header rows; without likelihood, an image's path takes the place of the frame's number."""
    confidence = recording.confidence
    coords = ("x", "y", "likelihood") if likelihood else ("x", "y")
    width = len(coords) * len(recording.markers)
    lines: list[Sequence[str]] = [
        ["scorer", *("synthetic",) * width],
        ["bodyparts", *(marker for marker in recording.markers for _ in coords)],
        ["coords", *coords * len(recording.markers)],
    ]

    def rows() -> Iterable[Sequence[str]]:
        for frame, (n, _, cells) in enumerate(_rows(recording, 1.0)):
            row = [str(n) if likelihood else f"labeled-data/synthetic/img{n:05d}.png"]
            for place in range(len(recording.markers)):
                row += cells[2 * place : 2 * place + 2]
                if likelihood:
                    row.append("1.0" if confidence is None else f"{confidence[frame, place]:.6f}")
            yield row

    _write(path, lines, rows(), ",")


def write_motive(path: Path, recording: Recording, *, body: str = "Body", body_markers: bool = True) -> None:
    """Motive's CSV export, format 1.23, in mm: a rigid body's pose, its solved markers, and the measured ones."""
    count = len(recording.markers)
    rate = f"{recording.rate_hz or 0.0:.6f}"
    keys = [
        "Format Version",
        "1.23",
        "Take Name",
        recording.name,
        "Capture Frame Rate",
        rate,
        "Export Frame Rate",
        rate,
    ]
    keys += ["Rotation Type", "Quaternion", "Length Units", "Millimeters", "Coordinate Space", "Global"]
    groups = [("Rigid Body", body, "Rotation", "XYZW"), ("Rigid Body", body, "Position", "XYZ")]
    groups.append(("Rigid Body", body, "Mean Marker Error", " "))
    names = [f"{body}:{marker}" for marker in recording.markers]
    if body_markers:
        for name in names:
            groups.append(("Rigid Body Marker", name, "Position", "XYZ"))
            groups.append(("Rigid Body Marker", name, "Marker Quality", " "))
    groups += [("Marker", name, "Position", "XYZ") for name in names]
    columns = [(kind, name, what, axis.strip()) for kind, name, what, axes in groups for axis in axes]
    lines: list[Sequence[str]] = [
        keys,
        [""],
        ["", "Type", *(kind for kind, _, _, _ in columns)],
        ["", "Name", *(name for _, name, _, _ in columns)],
        ["", "ID", *(f'"{_identity(name):032X}"' for _, name, _, _ in columns)],
        ["", "", *(what for _, _, what, _ in columns)],
        ["Frame", "Time (Seconds)", *(axis for _, _, _, axis in columns)],
    ]

    def rows() -> Iterable[Sequence[str]]:
        for n, t, cells in _rows(recording, _MM):
            row = [str(n), f"{t:.6f}", "0", "0", "0", "1", "0", "0", "0", "0.1"]
            if body_markers:
                # Solved markers are there in every frame: readers that take them for measured ones are fooled.
                for _ in range(count):
                    row += ["1.0", "2.0", "3.0", "1.0"]
            yield [*row, *cells]

    _write(path, lines, rows(), ",")


def _identity(name: str) -> int:
    """A number that is always the same for a name."""
    return int.from_bytes(name.encode()[:16].ljust(16, b"\0"), "big")


def write_qualisys(path: Path, recording: Recording, *, heading: bool = True) -> None:
    """Qualisys Track Manager's TSV export, in mm; zeros where nothing was seen."""
    lines: list[Sequence[str]] = [
        ["NO_OF_FRAMES", str(recording.times_s.size)],
        ["NO_OF_CAMERAS", "8"],
        ["NO_OF_MARKERS", str(len(recording.markers))],
        ["FREQUENCY", _number(recording.rate_hz or 0.0)],
        ["NO_OF_ANALOG", "0"],
        ["ANALOG_FREQUENCY", "0"],
        ["DESCRIPTION", "--"],
        ["TIME_STAMP", "2026-01-01, 12:00:00.000", "1.0"],
        ["DATA_INCLUDED", "3D"],
        ["MARKER_NAMES", *recording.markers],
    ]
    if heading:
        lines.append(["Frame", "Time", *(f"{marker} {axis}" for marker in recording.markers for axis in "XYZ")])

    def rows() -> Iterable[Sequence[str]]:
        for n, t, cells in _rows(recording, _MM, first=1):
            filled = [cell or "0.000" for cell in cells]
            yield [str(n), f"{t:.5f}", *filled] if heading else filled

    _write(path, lines, rows(), "\t")


def write_n3d(path: Path, recording: Recording) -> None:
    """NDI's binary form, in mm; it has no names of markers."""
    frames, count, _ = recording.positions.shape
    head = struct.pack("<BhhIf", 32, count, 3, frames, recording.rate_hz or 0.0).ljust(256, b"\0")
    values = recording.positions * _MM
    path.write_bytes(head + np.where(np.isfinite(values), values, -3.697314e28).astype("<f4").tobytes())


def _unit(recording: Recording) -> tuple[str, float, str]:
    return ("px", 1.0, "xy") if recording.unit == "px" else ("mm", _MM, "xyz")


def _number(value: float) -> str:
    return f"{value:.10g}"


def _rows(recording: Recording, factor: float, *, first: int = 0) -> Iterable[tuple[int, float, list[str]]]:
    """Each frame's number, time, and cells; empty where nothing was seen."""
    flat: Float = (recording.positions * factor).reshape(recording.times_s.size, -1)
    for n, (time, row) in enumerate(zip(recording.times_s.tolist(), flat.tolist(), strict=True), first):
        yield n, time, ["" if value != value else f"{value:.6f}" for value in row]


def _write(path: Path, head: Iterable[Sequence[str]], rows: Iterable[Sequence[str]], separator: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for cells in head:
            file.write(separator.join(cells) + "\n")
        for cells in rows:
            file.write(separator.join(cells) + "\n")

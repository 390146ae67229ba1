"""c3d files as laboratories write them: floats or scaled integers, either byte order, long label lists."""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from batchlab.motion._model import Recording

__all__ = ["write_c3d"]

_BLOCK = 512
_MOST_LABELS = 255  # a dimension of a parameter is one byte
_MOST_FRAMES = 65535  # a frame number is two


def write_c3d(
    path: Path,
    recording: Recording,
    *,
    unit: str | None = "mm",
    per_m: float = 1000.0,
    integers: bool = False,
    big_endian: bool = False,
    analog: int = 0,
    first_frame: int = 1,
) -> None:
    """Write a recording in metres as c3d.

    Parameters
    ----------
    path, recording
        Where, and what; it must have a rate.
    unit, per_m
        As POINT:UNITS says it (None leaves the parameter out), and how many of it make a metre.
    integers
        Scaled 16-bit integers in place of floats.
    big_endian
        As SGI/MIPS machines wrote.
    analog
        Channels of zeros beside the points.
    first_frame
        Number of the first frame.
    """
    order = ">" if big_endian else "<"
    points = recording.positions * per_m
    frames, count, _ = points.shape
    seen = np.asarray(np.isfinite(points).all(axis=2))
    largest = float(np.abs(points[seen]).max()) if seen.any() else 1.0
    scale = largest / 32000.0 if integers else -0.01
    last = first_frame + frames - 1
    parameters: list[tuple[str, str, bytes]] = [
        ("POINT", "USED", _word(order, count)),
        ("POINT", "FRAMES", _word(order, min(frames, _MOST_FRAMES))),
        ("POINT", "SCALE", _real(order, scale)),
        ("POINT", "RATE", _real(order, recording.rate_hz or 0.0)),
        ("ANALOG", "USED", _word(order, analog)),
        ("TRIAL", "ACTUAL_START_FIELD", _words(order, first_frame & 0xFFFF, first_frame >> 16)),
        ("TRIAL", "ACTUAL_END_FIELD", _words(order, last & 0xFFFF, last >> 16)),
    ]
    for number, begin in enumerate(range(0, count, _MOST_LABELS), 1):
        name = "LABELS" if number == 1 else f"LABELS{number}"
        parameters.append(("POINT", name, _texts(recording.markers[begin : begin + _MOST_LABELS])))
    if unit is not None:
        parameters.append(("POINT", "UNITS", _texts([unit])))
    data_start_size = len(_section(order, parameters, 0)) // _BLOCK
    start = 2 + data_start_size
    section = _section(order, [*parameters, ("POINT", "DATA_START", _word(order, start))], data_start_size)
    header = struct.pack(
        f"{order}BBHHHHHfHHf",
        2,
        0x50,
        count,
        analog,
        min(first_frame, _MOST_FRAMES),
        min(last, _MOST_FRAMES),
        10,
        scale,
        start,
        1,
        recording.rate_hz or 0.0,
    )
    values = np.zeros((frames, count, 4))
    values[..., :3] = np.where(seen[..., None], points, 0.0)
    values[..., 3] = np.where(seen, 0.0, -1.0)
    if integers:
        values[..., :3] = np.rint(values[..., :3] / scale)
    flat = np.concatenate([values.reshape(frames, 4 * count), np.zeros((frames, analog))], axis=1)
    data = flat.astype(f"{order}i2" if integers else f"{order}f4").tobytes()
    path.write_bytes(_padded(header) + section + _padded(data))


def _padded(data: bytes) -> bytes:
    return data.ljust(math.ceil(len(data) / _BLOCK) * _BLOCK, b"\0")


def _section(order: str, parameters: Sequence[tuple[str, str, bytes]], blocks: int) -> bytes:
    """The parameter section; every group has a number, its parameters bear it."""
    groups = list(dict.fromkeys(group for group, _, _ in parameters))
    out = struct.pack("BBBB", 1, 0x50, blocks & 0xFF, 86 if order == ">" else 84)
    for number, group in enumerate(groups, 1):
        out += struct.pack("bb", len(group), -number) + group.encode() + struct.pack(f"{order}h", 3) + b"\0"
    for group, name, body in parameters:
        out += struct.pack("bb", len(name), groups.index(group) + 1) + name.encode()
        out += struct.pack(f"{order}H", len(body) + 3) + body + b"\0"
    return _padded(out + b"\0\0\0\0")


def _word(order: str, value: int) -> bytes:
    return struct.pack(f"{order}bBH", 2, 0, value)


def _words(order: str, low: int, high: int) -> bytes:
    return struct.pack(f"{order}bBBHH", 2, 1, 2, low, high)


def _real(order: str, value: float) -> bytes:
    return struct.pack(f"{order}bBf", 4, 0, value)


def _texts(texts: Sequence[str]) -> bytes:
    width = max(len(text.encode()) for text in texts)
    body = b"".join(text.encode().ljust(width) for text in texts)
    return struct.pack("bBBB", -1, 2, width, len(texts)) + body

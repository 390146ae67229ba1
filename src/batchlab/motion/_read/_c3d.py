"""c3d, the binary form of most laboratories.

The format is as c3d.org describes it. Files do not always keep to it: their counts of frames disagree, and places of
the data are missing; what the length of the file allows decides.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._c3d_parameters import BLOCK, Head, floats, read_head
from batchlab.motion._read._choice import choose, told_names, unique_names
from batchlab.motion._read._raw import Asked, Raw

if TYPE_CHECKING:
    from batchlab.motion._model import Float

__all__ = ["read_c3d"]

_MOST_WORD = 65535
# Outputs of Plug-in Gait that stand among the points without being places.
_NO_PLACES = ("ANGLES", "FORCES", "MOMENTS", "POWERS", "SCALARS", "REACTIONS")


def read_c3d(path: Path, data: bytes, asked: Asked) -> Raw:
    """Read a c3d file."""
    head = read_head(path, data)
    notes: list[str] = []
    if not head.points:
        raise DataError(f"{path}: the c3d file holds no points; export it with marker positions", reason="no-markers")
    start = _data_start(path, head, len(data), notes)
    head = _settled(head, len(data) - start, notes)
    if not np.isfinite(head.scale) or head.scale == 0:
        raise DataError(
            f"{path}, byte 13: the scale of the points is {head.scale:g}; the file is damaged, export it again",
            reason="damaged",
        )
    real = head.scale < 0
    item = 4 if real else 2
    stride = item * (4 * head.points + head.analog)
    frames = _frames(path, head, (len(data) - start) // stride, notes)
    names, kept = _names(head, notes)
    chosen = [kept[place] for place in choose([names[place] for place in kept], asked.markers, path)]
    block = data[start : start + frames * stride]
    with np.errstate(invalid="ignore"):  # of NaN that signal
        positions = _positions(block, head, frames, chosen, real=real)
    units = head.texts("POINT:UNITS")
    return Raw(
        markers=tuple(names[place] for place in chosen),
        positions=positions,
        stated_unit=next((unit for unit in units if unit), None),
        rate_hz=_rate(head, notes),
        numbers=np.arange(frames, dtype=np.float64) + max(_first(head) - 1, 0),
        notes=notes,
    )


def _settled(head: Head, size: int, notes: list[str]) -> Head:
    """The head with scale and widths that parameters tell better."""
    scale = head.number("POINT:SCALE")
    known = scale is not None and np.isfinite(scale) and scale != 0
    if scale is not None and known and not (np.isfinite(head.scale) and head.scale != 0):
        notes.append(f"the header says no scale of the points; POINT:SCALE, {scale:g}, is believed")
        head = replace(head, scale=scale)
    elif (
        scale is not None and known and abs(scale - head.scale) > 1e-5 * abs(head.scale) and max(scale, head.scale) > 0
    ):
        notes.append(f"POINT:SCALE says {scale:g} and the header {head.scale:g}; the second is believed")
    points, used = head.number("POINT:USED"), head.number("ANALOG:USED")
    rates = head.number("ANALOG:RATE"), head.number("POINT:RATE")
    each = rates[0] / rates[1] if rates[0] and rates[1] else 1.0
    mine = (head.points, head.analog)
    wide = np.array([points or mine[0], mine[1] if used is None else used * np.rint(each)])
    other = (int(wide[0]), int(wide[1])) if np.isfinite(wide).all() else mine
    if other != mine and _fits(head, other, size) and not _fits(head, mine, size):
        notes.append(
            f"the header says {mine[0]} points and {mine[1]} analog samples in a frame, and parameters say {other[0]} "
            f"and {other[1]}, which the length of the file confirms"
        )
        head = replace(head, points=other[0], analog=other[1])
    return head


def _fits(head: Head, widths: tuple[int, int], size: int) -> bool:
    """Whether frames of so many points and samples fill the file, but for the rest of its last block."""
    frames = head.last - head.first + 1
    filled = frames * (4 * widths[0] + widths[1]) * (4 if head.scale < 0 else 2)
    return 0 <= size - filled < BLOCK


def _positions(block: bytes, head: Head, frames: int, chosen: list[int], *, real: bool) -> Float:
    """(F, M, 3) of the chosen points; NaN where the residual says that a point was not seen."""
    width = 4 * head.points
    order = ">" if head.processor == 86 else "<"
    if not real:
        words = np.frombuffer(block, dtype=f"{order}i2").reshape(frames, -1)[:, :width]
        points = words.reshape(frames, head.points, 4)[:, chosen].astype(np.float64)
        points[..., :3] *= head.scale
    elif head.processor == 85:
        points = floats(block, head.processor).reshape(frames, -1)[:, :width]
        points = points.reshape(frames, head.points, 4)[:, chosen]
    else:
        values = np.frombuffer(block, dtype=f"{order}f4").reshape(frames, -1)[:, :width]
        points = values.reshape(frames, head.points, 4)[:, chosen].astype(np.float64)
    positions: Float = points[..., :3].copy()
    positions[points[..., 3] < 0] = np.nan
    return positions


def _data_start(path: Path, head: Head, size: int, notes: list[str]) -> int:
    """The byte where the frames begin: as the header says, or else the parameter."""
    stated = head.number("POINT:DATA_START")
    places = [head.data_block] + ([int(stated)] if stated is not None and np.isfinite(stated) else [])
    for place in places:
        # Blocks 1 and 2 are the header and parameters.
        if place > 2 and (place - 1) * BLOCK < size:
            if place != head.data_block:
                notes.append(
                    f"the header places the data at block {head.data_block}, which cannot be; "
                    f"POINT:DATA_START, {place}, is believed"
                )
            return (place - 1) * BLOCK
    raise DataError(
        f"{path}: the data should begin at block {head.data_block} of {BLOCK} bytes, and there are {size} bytes: "
        "the file is cut off or damaged; copy it again",
        reason="truncated",
    )


def _first(head: Head) -> int:
    """The number of the first frame."""
    first = head.long_number("TRIAL:ACTUAL_START_FIELD")
    return head.first if first is None or first % (_MOST_WORD + 1) != head.first else first


def _frames(path: Path, head: Head, fitting: int, notes: list[str]) -> int:
    """How many frames there are: the most that something states and the file has room for."""
    if fitting < 1:
        raise DataError(
            f"{path}: the file ends before its first frame: it is cut off; copy it again", reason="truncated"
        )
    stated = {"the header": head.last - head.first + 1}
    begin, end = head.long_number("TRIAL:ACTUAL_START_FIELD"), head.long_number("TRIAL:ACTUAL_END_FIELD")
    if begin is not None and end is not None:
        stated["TRIAL"] = end - begin + 1
    for name in ("POINT:FRAMES", "POINT:LONG_FRAMES"):
        number = head.number(name)
        if number is not None and np.isfinite(number):
            stated[name] = int(number)
    # Two bytes hold no more than 65,535: a longer file says so in words of its own, or says this.
    sayings = {name: number for name, number in stated.items() if number > 0 and number != _MOST_WORD}
    long = fitting > _MOST_WORD
    possible = [number for number in sayings.values() if number <= fitting and not (long and number < _MOST_WORD)]
    frames = max(possible) if possible else fitting
    lies = {name: number for name, number in stated.items() if number != frames and not (long and number <= _MOST_WORD)}
    if lies:
        told = ", ".join(f"{name} says {number}" for name, number in lies.items())
        notes.append(f"the file holds {frames} frame{'s' * (frames != 1)}, though {told}")
    return frames


def _rate(head: Head, notes: list[str]) -> float | None:
    stated = head.number("POINT:RATE")
    rates = [rate for rate in (stated, head.rate_hz) if rate is not None and np.isfinite(rate) and rate > 0]
    if len(rates) == 2 and abs(rates[0] - rates[1]) > 1e-4 * rates[0]:
        notes.append(f"POINT:RATE says {rates[0]:g} Hz and the header {rates[1]:g} Hz; the first is believed")
    return rates[0] if rates else None


def _names(head: Head, notes: list[str]) -> tuple[list[str], list[int]]:
    """A name for each point, and which points are places."""
    labels = head.texts("POINT:LABELS")
    if len(labels) > head.points:
        notes.append(f"there are {len(labels)} labels for {head.points} points; the last labels are left out")
    labels = (labels + [""] * head.points)[: head.points]
    names = unique_names(labels, notes)
    others = {name for group in _NO_PLACES for name in head.texts(f"POINT:{group}") if name}
    kept = [place for place, label in enumerate(labels) if label not in others]
    left = [names[place] for place, label in enumerate(labels) if label in others]
    if left and kept:
        notes.append(f"{len(left)} outputs are no places and are left out: {told_names(left)}")
    return names, kept

"""NDI's binary floating-point form (Optotrak, Certus): positions in mm, without names."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from batchlab.errors import DataError
from batchlab.motion._read._choice import choose
from batchlab.motion._read._raw import Asked, Raw

__all__ = ["is_n3d", "read_n3d"]

_HEAD = 256
_CODE = 32
_NOT_SEEN = -1e28  # NDI writes -3.697314e28


def is_n3d(data: bytes) -> bool:
    """Whether the first bytes are of this form."""
    return len(data) >= 13 and data[0] == _CODE and data[2] == 0 and data[3:5] in (b"\3\0", b"\1\0", b"\2\0", b"\7\0")


def read_n3d(path: Path, data: bytes, asked: Asked) -> Raw:
    """Read an n3d file; its markers are called by their position, ``marker_1``."""
    if len(data) < _HEAD:
        raise DataError(
            f"{path}: the file is cut off: an n3d file begins with {_HEAD} bytes of header, and there are {len(data)}; "
            "copy it again",
            reason="truncated",
        )
    code, items, size, stated, rate = struct.unpack_from("<Bhhif", data)
    if code != _CODE:
        raise DataError(f"{path}, byte 1: this is no n3d file; its first byte is not 32", reason="not-a-recording")
    if size != 3:
        raise DataError(
            f"{path}: the n3d file holds {size} numbers per marker and not three coordinates; export 3-D data",
            reason="no-markers",
        )
    if items < 1:
        raise DataError(f"{path}: the n3d file states {items} markers; it is damaged", reason="no-markers")
    notes: list[str] = []
    frames = (len(data) - _HEAD) // (4 * 3 * items)
    if frames < 1:
        raise DataError(
            f"{path}: the file ends before its first frame: it is cut off; copy it again", reason="truncated"
        )
    if frames != stated:
        notes.append(
            f"the file has room for {frames} frame{'s' * (frames != 1)}, though its header says {stated}; the fewer "
            "are read"
        )
        frames = min(frames, stated) if stated > 0 else frames
    values = np.frombuffer(data, dtype="<f4", count=frames * items * 3, offset=_HEAD).reshape(frames, items, 3)
    names = [f"marker_{place}" for place in range(1, items + 1)]
    chosen = choose(names, asked.markers, path)
    with np.errstate(invalid="ignore"):  # of NaN that signal
        positions = values[:, chosen].astype(np.float64)
    positions[(positions < _NOT_SEEN).any(axis=2)] = np.nan
    return Raw(
        markers=tuple(names[place] for place in chosen),
        positions=positions,
        stated_unit="mm",
        rate_hz=float(rate) if np.isfinite(rate) and rate > 0 else None,
        notes=notes,
    )

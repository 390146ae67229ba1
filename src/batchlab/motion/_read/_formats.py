"""The forms of files, and how a file's first bytes tell which it is."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from batchlab.errors import DataError
from batchlab.motion._read._columns import has_coordinates, header_of
from batchlab.motion._read._dlc import is_dlc
from batchlab.motion._read._n3d import is_n3d
from batchlab.motion._read._source import Text, cells_of, text_of
from batchlab.motion._read._vicon import is_vicon

__all__ = ["FileFormat", "recognize"]


class FileFormat(StrEnum):
    """A form of file."""

    C3D = "c3d"
    N3D = "n3d"
    TRC = "trc"
    VICON = "vicon"
    MOTIVE = "motive"
    QUALISYS = "qualisys"
    DLC = "dlc"
    PUPIL_LABS = "pupil-labs"
    TIDY = "tidy"
    WIDE = "wide"


def recognize(path: Path, data: bytes) -> FileFormat:
    """The form of a file, by what stands in it; its name decides nothing but between binary forms cut off.

    Raises
    ------
    DataError
        If it is none that is read.
    """
    suffix = path.suffix.lower()
    if data[1:2] == b"\x50" and (b"\0" in data[:512] or suffix == ".c3d"):
        return FileFormat.C3D
    if is_n3d(data):
        return FileFormat.N3D
    if suffix in (".c3d", ".n3d"):
        raise DataError(
            f"{path}: this is no {suffix[1:]} file, whatever its name says: its first bytes are {data[:4]!r}; "
            "copy it again",
            reason="not-a-recording",
        )
    return _text_format(text_of(path, data))


def _text_format(text: Text) -> FileFormat:
    first = text.lines(1)[0] if text.data else ""
    if first.startswith(("PathFileType", '"PathFileType')):
        return FileFormat.TRC
    if first.lstrip('"').startswith("Format Version"):
        return FileFormat.MOTIVE
    if first.startswith("NO_OF_FRAMES"):
        return FileFormat.QUALISYS
    if is_vicon(text):
        return FileFormat.VICON
    if is_dlc([cells_of(line, ",") for line in text.lines(4)]):
        return FileFormat.DLC
    if "gaze_timestamp" in cells_of(first, ","):
        return FileFormat.PUPIL_LABS
    header = header_of(text)
    if header.marker is not None and header.bare:
        return FileFormat.TIDY
    if has_coordinates(header):
        return FileFormat.WIDE
    raise DataError(
        f"{text.path}, line {header.line}: this is no recording of markers that can be read; there are readers for "
        "c3d, n3d, TRC, Vicon, Motive, Qualisys, DeepLabCut and Pupil Labs exports, and for tables with the columns "
        "frame, keypoint, x_mm, y_mm, z_mm or frame, NAME_x_mm, NAME_y_mm, NAME_z_mm",
        reason="not-a-recording",
    )

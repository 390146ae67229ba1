"""Any file of markers as a recording: metres or pixels, seconds, and NaN for what was not seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from batchlab.errors import ConfigError, DataError
from batchlab.motion._model import Recording
from batchlab.motion._read._c3d import read_c3d
from batchlab.motion._read._dlc import read_dlc
from batchlab.motion._read._formats import FileFormat, recognize
from batchlab.motion._read._gaze import raw_gaze
from batchlab.motion._read._motive import read_motive
from batchlab.motion._read._n3d import read_n3d
from batchlab.motion._read._qualisys import read_qualisys
from batchlab.motion._read._raw import Asked, Raw
from batchlab.motion._read._source import Text, read_bytes, text_of
from batchlab.motion._read._tables import read_tidy, read_wide
from batchlab.motion._read._times import stamps
from batchlab.motion._read._trc import read_trc
from batchlab.motion._read._units import LENGTHS_M, PIXELS, canonical_length, canonical_time
from batchlab.motion._read._vicon import read_vicon

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from batchlab.motion._model import Float

__all__ = ["read_recording"]

_BINARY: dict[FileFormat, Callable[[Path, bytes, Asked], Raw]] = {FileFormat.C3D: read_c3d, FileFormat.N3D: read_n3d}
_TEXT: dict[FileFormat, Callable[[Text, Asked], Raw]] = {
    FileFormat.TRC: read_trc,
    FileFormat.VICON: read_vicon,
    FileFormat.MOTIVE: read_motive,
    FileFormat.QUALISYS: read_qualisys,
    FileFormat.DLC: read_dlc,
    FileFormat.PUPIL_LABS: raw_gaze,
    FileFormat.TIDY: read_tidy,
    FileFormat.WIDE: read_wide,
}

# What programs write in all coordinates where nothing was seen; of images -1, too, for no pixel lies there.
_GAPS = (-999.0, 999.0, -9999.0, 9999.0, -99999.0, 99999.0, -999999.0, 999999.0)
_GAPS_PX = (*(gap for gap in _GAPS if gap < 0), -1.0)


def read_recording(
    path: Path | str,
    *,
    unit: str | None = None,
    rate_hz: float | None = None,
    markers: str | Sequence[str] = (),
    time_unit: str | None = None,
    min_confidence: float | None = None,
    file_format: FileFormat | str | None = None,
    name: str | None = None,
) -> Recording:
    """Read a file of markers.

    Parameters
    ----------
    path
        c3d, n3d, TRC, exports of Vicon, Motive, Qualisys, DeepLabCut and Pupil Labs, tidy and wide tables.
    unit
        Of the coordinates: m, cm, mm, in, ft, px... What the file says, where it says it, is overruled, and that
        is noted.
    rate_hz
        Frames per second; overrules the file likewise.
    markers
        Patterns such as ``boite:*``, or names; the others are not read.
    time_unit
        Of time stamps whose column does not say it: s, ms, us or ns.
    min_confidence
        Less than this counts as not seen.
    file_format
        Told by the file's first lines where it is None.
    name
        Of the recording; the file's, without its suffix, where it is None.

    Returns
    -------
    Recording
        In metres or pixels and seconds. Not seen (NaN) is a marker whose coordinates are empty, infinite, all
        exactly zero or all a number that programs write for a gap, such as -9999, or that the file marks as such.

    Raises
    ------
    DataError
        If the file cannot be read, or it tells no unit or rate and none is declared.
    ConfigError
        If what is declared is no unit, no rate or no format.
    """
    path = Path(path)
    asked = _asked(unit, rate_hz, markers, time_unit, min_confidence)
    wished = _format(file_format)
    data = read_bytes(path)
    form = wished or recognize(path, data)
    raw = _BINARY[form](path, data, asked) if form in _BINARY else _TEXT[form](text_of(path, data), asked)
    notes = list(dict.fromkeys(raw.notes))
    stated, factor = _unit(path, raw, asked, notes)
    positions = _seen(raw, asked, notes)
    times, rate, order = stamps(path, raw, asked, notes)
    confidence = raw.confidence
    if order is not None:
        positions = positions[order]
        confidence = None if confidence is None else confidence[order]
    if factor != 1.0:
        positions *= factor
    return Recording(
        name=name or path.stem,
        markers=raw.markers,
        times_s=times,
        positions=positions,
        unit=PIXELS if stated == PIXELS else "m",
        rate_hz=rate,
        confidence=None if confidence is None else np.clip(confidence, 0.0, 1.0),
        stated_unit=stated,
        notes=tuple(notes),
    )


def _asked(
    unit: str | None,
    rate_hz: float | None,
    markers: str | Sequence[str],
    time_unit: str | None,
    min_confidence: float | None,
) -> Asked:
    """What was declared, checked."""
    length = None if unit is None else canonical_length(unit)
    if unit is not None and length is None:
        raise ConfigError(f"unit: {unit!r} is no unit of coordinates; say one of {', '.join((*LENGTHS_M, PIXELS))}")
    time = None if time_unit is None else canonical_time(time_unit)
    if time_unit is not None and time is None:
        raise ConfigError(f"time_unit: {time_unit!r} is no unit of time; say s, ms, us or ns")
    if rate_hz is not None and not (np.isfinite(rate_hz) and rate_hz > 0):
        raise ConfigError(f"rate_hz: {rate_hz} is no rate; say frames per second, such as 100")
    if min_confidence is not None and not 0.0 <= min_confidence <= 1.0:
        raise ConfigError(f"min_confidence: {min_confidence} is not from 0 to 1")
    patterns = (markers,) if isinstance(markers, str) else tuple(markers)
    rate_hz = None if rate_hz is None else float(rate_hz)
    return Asked(unit=length, rate_hz=rate_hz, time_unit=time, markers=patterns, min_confidence=min_confidence)


def _format(wished: FileFormat | str | None) -> FileFormat | None:
    if wished is None:
        return None
    try:
        return FileFormat(wished)
    except ValueError as error:
        raise ConfigError(f"file_format: {wished!r} is none of {', '.join(FileFormat)}") from error


def _unit(path: Path, raw: Raw, asked: Asked, notes: list[str]) -> tuple[str, float]:
    """The unit of the coordinates, and what makes them metres."""
    said = None if raw.stated_unit is None else canonical_length(raw.stated_unit)
    unit = asked.unit or said
    if asked.unit and said and asked.unit != said:
        notes.append(f"the unit is {asked.unit} as declared, though the file says {said}")
    flat = raw.positions.shape[2] == 2
    if unit is None:
        what = f"its unit, {raw.stated_unit!r}, is none of length" if raw.stated_unit else "it does not say its unit"
        example = PIXELS if flat else "mm"
        raise DataError(
            f'{path}: {what}; declare it, such as unit="{example}" (--unit {example})', reason="unit-unknown"
        )
    if flat != (unit == PIXELS):
        dimensions, right = ("two", "pixels") if flat else ("three", "a length")
        raise DataError(
            f"{path}: its points have {dimensions} coordinates in {unit}; {dimensions} are read in {right} alone",
            reason="unit-unknown",
        )
    return unit, 1.0 if unit == PIXELS else LENGTHS_M[unit]


def _seen(raw: Raw, asked: Asked, notes: list[str]) -> Float:
    """Positions with NaN in all coordinates of whatever was not seen."""
    positions = raw.positions
    finite = np.isfinite(positions)
    seen = finite.all(axis=2)
    parts = int((finite.any(axis=2) & ~seen).sum())
    if parts:
        notes.append(f"{parts} places lack some of their coordinates and count as not seen")
    zeros = seen & (positions == 0).all(axis=2)
    if zeros.any():
        notes.append(f"{int(zeros.sum())} places are exactly zero and count as not seen")
    words = seen & _is_word(positions)
    if words.any():
        value = positions[words][0, 0]
        notes.append(f"{int(words.sum())} places are exactly {value:g} in all coordinates and count as not seen")
    hidden = ~seen | zeros | words
    if asked.min_confidence is not None and raw.confidence is None:
        notes.append("the file has no confidence, so the least that was asked for changes nothing")
    elif asked.min_confidence is not None and raw.confidence is not None:
        low = ~hidden & (raw.confidence < asked.min_confidence)
        if low.any():
            notes.append(f"{int(low.sum())} places have less confidence than {asked.min_confidence:g}; not seen")
        hidden |= low
    positions = np.ascontiguousarray(positions, dtype=np.float64)
    positions[hidden] = np.nan
    return positions


def _is_word(positions: Float) -> NDArray[np.bool_]:
    """(F, M) whether all coordinates are the same number, and one that says that nothing was seen."""
    first = positions[..., 0]
    gaps = _GAPS_PX if positions.shape[2] == 2 else _GAPS
    found: NDArray[np.bool_] = np.isin(first, gaps) & (positions == first[..., None]).all(axis=2)
    return found

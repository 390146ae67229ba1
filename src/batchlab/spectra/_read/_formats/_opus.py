"""Bruker OPUS files: a directory of blocks, each a curve or the parameters of one.

The type of a block is a word of bit fields: real or complex, sample, reference or ratio, which parameters,
which kind of curve. A curve's axis stands in the block of parameters that has the same word otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from batchlab.spectra._kinds import AxisKind, Quantity, SpectrumRole, Technique
from batchlab.spectra._model import Spectrum
from batchlab.spectra._read._formats._assemble import assemble, evenly, one_or_more, part_name
from batchlab.spectra._read._formats._bytes import Bytes, words
from batchlab.spectra._read._formats._units import Axis, Signal

__all__ = ["read_opus"]

_WHAT = "a Bruker OPUS file"
_MOST_BLOCKS = 5000
_PARAMETERS = 0x3F << 4  # the bits that say which parameters a block holds; none: it is a curve
_AXIS_PARAMETERS = 1
_LEFT_OUT = ("CNM", "CPY", "EXP", "XPP")  # the operator, and paths on the instrument's computer

_SINGLE_CHANNEL, _INTERFEROGRAM, _PHASE = 1, 2, 3
_SIGNALS: dict[int, tuple[str, Signal]] = {
    _SINGLE_CHANNEL: ("single channel", Signal(Quantity.SINGLE_BEAM)),
    _INTERFEROGRAM: ("interferogram", Signal(Quantity.INTERFEROGRAM)),
    _PHASE: ("phase", Signal(Quantity.UNKNOWN)),
    4: ("absorbance", Signal(Quantity.ABSORBANCE)),
    5: ("transmittance", Signal(Quantity.TRANSMITTANCE)),
    6: ("Kubelka-Munk", Signal(Quantity.KUBELKA_MUNK)),
    10: ("Raman", Signal(Quantity.INTENSITY)),
    11: ("emission", Signal(Quantity.INTENSITY)),
    12: ("reflectance", Signal(Quantity.REFLECTANCE)),
    14: ("power", Signal(Quantity.SINGLE_BEAM)),
    15: ("log(1/R)", Signal(Quantity.LOG_INVERSE_REFLECTANCE)),
    16: ("ATR", Signal(Quantity.ABSORBANCE)),
}
_RAMAN = 10
_AXES = {
    "WN": Axis(AxisKind.WAVENUMBER, "cm-1"),
    "MI": Axis(AxisKind.WAVELENGTH, "um"),
    "NM": Axis(AxisKind.WAVELENGTH, "nm"),
    "MIN": Axis(AxisKind.TIME, "min"),
    "PNT": Axis(AxisKind.PIXEL),
}
_TWIN = "the file has two results of this kind; the other one, of less marks in its type, stands first"
_COMMON = {"SNM": "title", "RES": "resolution", "INS": "instrument", "NSS": "scans", "RLW": "laser"}
_DATE = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})$")


class _Block(NamedTuple):
    """An entry of the directory, its type taken apart."""

    word: int
    start: int
    size: int

    @property
    def parameters(self) -> int:
        return self.word >> 4 & 0x3F

    @property
    def of(self) -> int:
        """Whose curve it is: 1 sample, 2 reference, 3 their ratio."""
        return self.word >> 2 & 3

    @property
    def curve(self) -> int:
        return self.word >> 10 & 0x7F

    @property
    def derivative(self) -> int:
        return self.word >> 17 & 3


def read_opus(path: Path, data: bytes) -> tuple[Spectrum, ...]:
    """Read every curve of an OPUS file: the sample's result first, then what it was computed from.

    Raises
    ------
    DataError
        Reason ``truncated``, ``damaged``, ``not-a-spectrum``.
    """
    source = Bytes(path, data, _WHAT)
    blocks = _directory(source)
    for block in blocks:
        # A curve whose parameters are cut off would not be missed, and what it was computed from stand in its place.
        if block.parameters <= _AXIS_PARAMETERS:
            source.take(block.start, block.size, "curve")
    # Reference parameters first, so that those of the sample stand where both have one.
    shared: dict[str, object] = {}
    for block in sorted((each for each in blocks if each.parameters > _AXIS_PARAMETERS), key=lambda b: b.of != 2):
        shared |= dict(_read_parameters(source, block))
    axes = {block.word & ~_PARAMETERS: block for block in blocks if block.parameters == _AXIS_PARAMETERS}
    curves = [block for block in blocks if not block.parameters and block.word in axes]
    # Of two results of a kind, OPUS marks the one before atmospheric compensation by a bit more in its word.
    curves.sort(key=lambda block: (_rank(block), block.word, block.start))
    spectra: list[Spectrum] = []
    cut = _cut_off(source, blocks)
    for block in curves:
        if _plausible(source, block, about := dict(_read_parameters(source, axes[block.word]))):
            spectra.append(_spectrum(source, block, about, shared, taken=spectra, parts=len(curves), told=cut))
    return one_or_more(path, spectra, _WHAT)


def _directory(source: Bytes) -> list[_Block]:
    _, start, most, count = source.unpack("dIII", 4, "header")
    if not 0 < count <= _MOST_BLOCKS or not 0 < most <= _MOST_BLOCKS:
        raise source.broken(f"says it has {count} of {most} blocks")
    blocks = []
    for number in range(int(count)):
        word, size, at = source.unpack("III", int(start) + 12 * number, "directory")
        if at:
            blocks.append(_Block(int(word), int(at), 4 * int(size)))
    return blocks


def _cut_off(source: Bytes, blocks: list[_Block]) -> list[str]:
    """What to tell of a file whose curves are whole, and that ends before its last block does."""
    end = max((block.start + block.size for block in blocks), default=0)
    if end <= len(source):
        return []
    return [
        f"the file is truncated: its directory goes to byte {end}, it has {len(source)}; the curves are whole, what is "
        "said about them may not be"
    ]


def _read_parameters(source: Bytes, block: _Block) -> Iterator[tuple[str, object]]:
    """The name and value of each parameter of a block."""
    at, end = block.start, min(block.start + block.size, len(source))
    while at + 8 <= end:
        key = words(source.data[at : at + 3])
        kind, half_size = source.unpack("HH", at + 4, "parameters")
        size = 2 * int(half_size)
        if key == "END" or not key.isalnum():
            return
        at += 8
        if kind == 0 and size == 4:
            yield key, source.integer("i", at, f"parameter {key}")
        elif kind == 1 and size == 8:
            yield key, source.real("d", at, f"parameter {key}")
        else:
            yield key, source.text(at, size, f"parameter {key}")
        at += size


def _plausible(source: Bytes, block: _Block, about: dict[str, object]) -> bool:
    """Whether a block is one curve: tables of peaks bear the word of a curve and have no points of their own."""
    points = about.get("NPT")
    if not isinstance(points, int) or points < 2:
        return False
    if 4 * points > block.size:
        raise source.broken(f"says that a curve of {block.size} bytes has {points} points")
    return True


def _rank(block: _Block) -> int:
    known = block.curve in _SIGNALS
    if block.of == 3 and known:
        return 0
    if block.curve == _SINGLE_CHANNEL:
        return block.of  # the sample before its reference
    return 4 if block.curve in (_INTERFEROGRAM, _PHASE) or not known else 1


def _spectrum(
    source: Bytes,
    block: _Block,
    about: dict[str, object],
    shared: dict[str, object],
    taken: list[Spectrum],
    parts: int,
    told: list[str],
) -> Spectrum:
    where = "curve"
    points = int(str(about["NPT"]))
    scale = _real(about.get("CSF"), 1.0) or 1.0
    y = source.array("f4", block.start, points, where) * scale
    x = evenly(_real(about.get("FXV"), float("nan")), _real(about.get("LXV"), float("nan")), points)
    what, signal = _SIGNALS.get(block.curve, ("other", Signal(Quantity.UNKNOWN)))
    axis = _AXES.get(str(about.get("DXU", "")).strip(), Axis(AxisKind.UNKNOWN))
    technique = Technique.FTIR
    if block.curve == _RAMAN:
        technique = Technique.RAMAN
        axis = Axis(AxisKind.RAMAN_SHIFT, "cm-1") if axis.kind is AxisKind.WAVENUMBER else axis
    elif axis.kind is AxisKind.WAVENUMBER and min(_real(about.get("LXV"), 0.0), _real(about.get("FXV"), 0.0)) > 3300:
        technique = Technique.NIR
    if block.curve == _INTERFEROGRAM:
        axis = Axis(AxisKind.PIXEL)
    if block.derivative:
        what, signal = f"{what}, derivative {block.derivative}", Signal(Quantity.UNKNOWN)
    if block.of in (1, 2):
        what = f"{'sample' if block.of == 1 else 'reference'} {what}"
    twins = sum(each.metadata["block"].split(" (")[0] == what for each in taken)
    if twins:
        what = f"{what} ({twins + 1})"
    return assemble(
        source.path,
        part_name(source.path, "" if not taken else what, parts),
        x,
        y,
        axis,
        signal,
        metadata={"block": what} | _metadata(shared, about),
        role=_role(block, taken),
        technique=technique,
        warnings=[*told, *([_TWIN] if twins else [])],
    )


def _role(block: _Block, taken: list[Spectrum]) -> SpectrumRole:
    if block.of == 2:
        return SpectrumRole.BACKGROUND
    # The raw signal of a sample, a second result: other forms of the spectrum that stands first.
    return SpectrumRole.IGNORE if taken else SpectrumRole.SAMPLE


def _real(value: object, default: float) -> float:
    return float(value) if isinstance(value, (int, float)) else default


def _metadata(shared: dict[str, object], about: dict[str, object]) -> dict[str, object]:
    metadata = {_COMMON.get(key, key): value for key, value in shared.items() if key not in _LEFT_OUT}
    day, time = str(about.get("DAT", "")), str(about.get("TIM", ""))
    if found := _DATE.match(day):
        day = f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}"
    metadata["date"] = f"{day} {time}".strip()
    return metadata

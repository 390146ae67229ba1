"""JCAMP-DX files: labelled records, one block or many linked, tables in any of the standard's forms.

References
----------
.. [1] McDonald and Wilks, Appl. Spectrosc. 42 (1988) 151 (version 4.24); Lampen et al., Appl. Spectrosc. 47
   (1993) 1093 and 53 (1999) (version 5).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity, SpectrumRole, Technique
from batchlab.spectra._model import Array, Spectrum
from batchlab.spectra._read._formats._asdf import Damage, read_pairs, read_table
from batchlab.spectra._read._formats._assemble import assemble, evenly, one_or_more, part_name
from batchlab.spectra._read._formats._units import Axis, Signal, axis_of, signal_of, technique_of

__all__ = ["read_jcamp"]

_WHAT = "a JCAMP-DX file"
_MOST_POINTS = 5_000_000  # that repeats may make; what stands written out is bounded by the file
_LABEL = re.compile(r"\s*##([^=]*)=(.*)")
_END = re.compile(r"^\s*##\s*END\s*=", re.IGNORECASE | re.MULTILINE)
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+(?:[Ee][+-]?\d+)?\s*")
_BETWEEN_DIGITS = re.compile(r"(?<=\d),(?=\d)")
_TABLES = ("XYDATA", "XYPOINTS", "RADATA")
_PEAKS = ("PEAKTABLE", "PEAKASSIGNMENTS")
# Our words for records that every format has; all others keep their label.
_COMMON = {
    "TITLE": "title",
    "LONGDATE": "date",
    "DATE": "date",
    "RESOLUTION": "resolution",
    "SPECTROMETERDATASYSTEM": "instrument",
}
_ABOUT_THE_TABLE = ("NPOINTS", "FIRSTY", "MAXY", "MINY", "MAXX", "MINX", "XFACTOR", "YFACTOR", "DELTAX", "BLOCKS")
_ROLES = (("dark", SpectrumRole.DARK), ("reference", SpectrumRole.REFERENCE), ("background", SpectrumRole.BACKGROUND))


@dataclass(slots=True)
class _Block:
    """The records between a title and an end."""

    records: dict[str, str] = field(default_factory=dict)  # label without blanks and marks -> value
    labels: dict[str, str] = field(default_factory=dict)  # the same -> label as written
    tables: list[tuple[str, str, list[tuple[int, str]]]] = field(default_factory=list)  # label, form, lines
    ended: bool = False

    def number(self, label: str) -> float | None:
        """A record's number; None where there is none."""
        text = self.records.get(label, "").strip().split(" ")[0]
        if _DECIMAL_COMMA.fullmatch(text):
            text = text.replace(",", ".")
        try:
            value = float(text)
        except ValueError:
            return None
        return value if np.isfinite(value) else None

    @property
    def decimal_comma(self) -> bool:
        """Whether the block's own numbers are written with a decimal comma."""
        return any(_DECIMAL_COMMA.fullmatch(self.records.get(label, "")) for label in _NUMBERS)


_NUMBERS = ("FIRSTX", "LASTX", "DELTAX", "XFACTOR", "YFACTOR", "FIRSTY", "MAXY", "MINY", "MAXX", "MINX")


def read_jcamp(path: Path, data: bytes) -> tuple[Spectrum, ...]:
    """Read every spectrum of a JCAMP-DX file, in the order of its blocks.

    Raises
    ------
    DataError
        Reason ``truncated``, ``damaged``, ``unsupported-format`` (NTUPLES), ``not-a-spectrum`` (peak tables).
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
    blocks = _blocks(text)
    tables = [(block, table) for block in blocks for table in block.tables]
    spectra, skipped = [], []
    for number, (block, (label, form, lines)) in enumerate(tables, start=1):
        if label in _PEAKS:
            skipped.append(f"a table of peaks ({form or label})")
            continue
        if label not in _TABLES:
            skipped.append(f"{label} (NTUPLES), which this reader does not take")
            continue
        spectra.append(_spectrum(path, block, form, lines, part_name(path, str(number), len(tables))))
    _refuse_cut(path, text, blocks)
    if not spectra and any("NTUPLES" in each for each in skipped):
        raise DataError(
            f"{path}: {_WHAT} of {'; '.join(sorted(set(skipped)))}; export the spectrum as text or as XYDATA",
            reason="unsupported-format",
        )
    return one_or_more(path, spectra, _WHAT, skipped)


def _refuse_cut(path: Path, text: str, blocks: list[_Block]) -> None:
    """Raise where a compound file ends between its blocks: those that it has are whole and are not all."""
    declared = max((int(block.number("BLOCKS") or 0) for block in blocks), default=0)
    there = sum(bool(block.tables) for block in blocks)
    if there < declared and len(_END.findall(text)) < len(blocks):
        raise DataError(
            f"{path}: {_WHAT} of {declared} blocks, of which {there} are there: the file is cut off; copy it again",
            reason="truncated",
        )


def _blocks(text: str) -> list[_Block]:
    """Part a file at its titles; a block inside another ends before the outer one goes on."""
    blocks: list[_Block] = []
    block = _Block()
    table: list[tuple[int, str]] | None = None
    key = ""
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.split("$$", 1)[0]
        found = _LABEL.match(line)
        if found is None:
            if table is not None:
                table.append((number, line))
            elif key and line.strip():
                block.records[key] = f"{block.records[key]} {line.strip()}".strip()
            continue
        key, value, table = _plain_label(found[1]), found[2].strip(), None
        if key == "TITLE":
            block = _Block()
            blocks.append(block)
        if key == "END":
            block.ended = True
            key = ""
        elif key in (*_TABLES, *_PEAKS, "DATATABLE"):
            table = []
            block.tables.append((key, value, table))
        else:
            said = block.records.get(key, "")
            block.records[key] = f"{said}; {value}" if said and value else said or value
            block.labels[key] = found[1].strip()
    return blocks


def _plain_label(label: str) -> str:
    """A label as the standard compares it: capitals, without blanks, hyphens, slashes and underscores."""
    return re.sub(r"[\s\-/_]", "", label).upper()


def _spectrum(path: Path, block: _Block, form: str, lines: list[tuple[int, str]], name: str) -> Spectrum:
    warnings: list[str] = []
    if block.decimal_comma:
        lines = [(number, _BETWEEN_DIGITS.sub(".", line)) for number, line in lines]
    pairs = "XY..XY" in form.replace(" ", "").upper() or "RA..RA" in form.replace(" ", "").upper()
    try:
        if pairs:
            x_raw, y_raw = read_pairs(lines)
            x, y = np.array(x_raw) * _factor(block, "X"), np.array(y_raw) * _factor(block, "Y")
        else:
            x, y = _even(path, block, lines, warnings)
    except Damage as damage:
        raise DataError(
            f"{path}: {_WHAT} whose table {damage}; the file is damaged{'' if block.ended else ' or cut off'}: copy or "
            "export it again",
            reason="damaged" if block.ended else "truncated",
        ) from damage
    _check_count(path, block, y.size, warnings)
    _check_values(block, x, y, warnings)
    axis, signal, technique, role = _meaning(block)
    return assemble(
        path,
        name,
        x,
        y,
        axis,
        signal,
        metadata=_metadata(block),
        role=role,
        technique=technique,
        warnings=warnings,
    )


def _factor(block: _Block, axis: str) -> float:
    return block.number(f"{axis}FACTOR") or block.number(f"{'R' if axis == 'X' else 'A'}FACTOR") or 1.0


def _even(path: Path, block: _Block, lines: list[tuple[int, str]], warnings: list[str]) -> tuple[Array, Array]:
    """An X++(Y..Y) table: the ordinates, and the axis between its declared ends."""
    declared = block.number("NPOINTS")
    # A repeat cannot claim more points than are declared, or than a file of this size could mean.
    most = int(min(max(declared or 0, sum(len(line) for _, line in lines)) * 2 + 1000, _MOST_POINTS))
    table = read_table(lines, most)
    if table.unchecked:
        kept = read_table(lines, most, keep_checks=True)
        if declared is not None and len(kept.y) == int(declared) != len(table.y):
            table = kept
            warnings.append("its differences come without the check value that the standard asks for")
        else:
            raise Damage(
                f"contradicts itself: {table.unchecked} lines do not begin with the value that the differences of "
                "the line before end at"
            )
    y = np.array(table.y) * _factor(block, "Y")
    letter = "R" if "FIRSTR" in block.records else "X"  # of an interferogram's retardation
    first, last = block.number(f"FIRST{letter}"), block.number(f"LAST{letter}")
    if first is not None and last is not None and (declared is None or int(declared) == y.size):
        x = evenly(first, last, y.size)
        _check_abscissae(block, table.starts, x, warnings)
        return x, y
    if not table.starts:
        return np.empty(0), y
    return _axis_of_lines(block, table.starts, y.size), y


def _axis_of_lines(block: _Block, starts: list[tuple[int, float]], count: int) -> Array:
    """The axis that the abscissae of the lines tell: even within a line and beyond the last."""
    at = np.array([start for start, _ in starts], dtype=np.float64)
    x = np.array([start for _, start in starts]) * _factor(block, "X")
    step = block.number("DELTAX")
    if at[-1] > at[0]:
        step = (x[-1] - x[0]) / (at[-1] - at[0])
    first = x[0] - at[0] * (step or 1.0)
    return evenly(first, first + (step or 1.0) * (count - 1), count)


def _check_abscissae(block: _Block, starts: list[tuple[int, float]], x: Array, warnings: list[str]) -> None:
    step = abs(x[-1] - x[0]) / max(x.size - 1, 1)
    factor = _factor(block, "X")
    off = [abs(start * factor - x[at]) for at, start in starts if at < x.size]
    # Abscissae are rounded, some to whole numbers: a step and a half is beyond any rounding.
    if off and max(off) > max(1.5 * step, 1.0) and not _reversed_count(starts, x.size):
        warnings.append(
            f"the abscissae of its lines differ by up to {max(off):g} from the even axis of FIRSTX, LASTX and NPOINTS, "
            "which is used"
        )


def _reversed_count(starts: list[tuple[int, float]], count: int) -> bool:
    """Whether lines begin with the number of points left, as NMR programs write, in place of an abscissa."""
    return all(abs(start - (count - 1 - at)) <= 1 for at, start in starts)


def _check_count(path: Path, block: _Block, count: int, warnings: list[str]) -> None:
    declared = block.number("NPOINTS")
    if not block.ended:
        warnings.append("it has no ##END=: its last lines may be missing")
    if declared is None or int(declared) == count:
        return
    if count < declared and not block.ended:
        raise DataError(
            f"{path}: {_WHAT} that ends after {count} of its {declared:g} points: it was not written to its end; copy "
            "or export it again",
            reason="truncated",
        )
    warnings.append(f"{count} points where NPOINTS says {declared:g}")


def _check_values(block: _Block, x: Array, y: Array, warnings: list[str]) -> None:
    if not y.size or not np.isfinite(y).all():
        return
    slack = 0.01 * float(np.ptp(y)) or 1e-9
    for label, found in (("FIRSTY", y[0]), ("MAXY", y.max()), ("MINY", y.min())):
        declared = block.number(label)
        if declared is not None and abs(declared - found) > slack:
            warnings.append(f"{label} says {declared:g} where the table has {found:g}")


def _meaning(block: _Block) -> tuple[Axis, Signal, Technique, SpectrumRole]:
    kind = block.records.get("DATATYPE", "")
    technique = technique_of(kind)
    axis = axis_of(block.records.get("XUNITS") or block.records.get("RUNITS", ""))
    if technique is Technique.RAMAN and axis.kind is AxisKind.WAVENUMBER:
        axis = Axis(AxisKind.RAMAN_SHIFT, "cm-1")
    signal = signal_of(block.records.get("YUNITS") or block.records.get("AUNITS", ""))
    said = f"{block.records.get('SAMPLEDESCRIPTION', '')} {block.records.get('TITLE', '')}".lower()
    role = next((role for word, role in _ROLES if re.search(rf"\b{word} (?:spectrum|signal|scan)\b", said)), None)
    if role is not None:
        # SpectraSuite copies the result's unit to the raw signals it was computed from; they do not have it.
        signal = Signal(Quantity.INTENSITY)
    if "INTERFEROGRAM" in kind.upper():
        signal = Signal(Quantity.INTERFEROGRAM)
    return axis, signal, technique, role or SpectrumRole.SAMPLE


def _metadata(block: _Block) -> dict[str, object]:
    metadata: dict[str, object] = {}
    for key, value in block.records.items():
        if key not in _ABOUT_THE_TABLE and value:
            metadata.setdefault(_COMMON.get(key, block.labels[key]), value)
    return metadata

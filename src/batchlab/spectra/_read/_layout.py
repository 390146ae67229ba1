"""A text table as it stands in its file, with what its words say, before spectra are taken from it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Quantity, Technique
from batchlab.spectra._model import Array
from batchlab.spectra._read._block import MIN_ROWS, Block, find_block
from batchlab.spectra._read._dialects import declared_points, dialect_of
from batchlab.spectra._read._encoding import Decoded
from batchlab.spectra._read._header import Header, read_header
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._load import load
from batchlab.spectra._read._sample import whole
from batchlab.spectra._read._source import text_of
from batchlab.spectra._read._truncation import refuse_truncated
from batchlab.spectra._read._vocabulary import Meaning, Role, meaning, unit_of

__all__ = ["Layout", "layout_of", "no_table", "read_layout", "technique_in"]

_RAMAN = re.compile(r"\braman\b|\blaser[ _]?(?:wave ?length)?\b\W*\d", re.IGNORECASE)
_TECHNIQUES = (
    (re.compile(r"\braman\b", re.IGNORECASE), Technique.RAMAN),
    (re.compile(r"\bft[- ]?ir\b|\binfrared spectrum\b", re.IGNORECASE), Technique.FTIR),
    (re.compile(r"\bfluorescence\b|\bFL +SPECTRUM\b", re.IGNORECASE), Technique.FLUORESCENCE),
    (re.compile(r"\buv[-/ ]?vis\b", re.IGNORECASE), Technique.UV_VIS),
    (re.compile(r"\bnear[- ]infrared\b", re.IGNORECASE), Technique.NIR),
)
_PARTED = re.compile(r"[:=;\t]")
_AXIS_UNIT_KEYS = ("xunits", "##xunits", "xunit", "x units", "x unit", "x axis", "x-axis", "axisunit[1]")
_QUANTITY_KEYS = ("yunits", "##yunits", "yunit", "y units", "y unit", "y axis", "y-axis", "axisunit[0]")
# A scattered Raman signal is never a share of the light that went in.
_OF_ABSORPTION = (
    Quantity.ABSORBANCE,
    Quantity.TRANSMITTANCE,
    Quantity.REFLECTANCE,
    Quantity.LOG_INVERSE_REFLECTANCE,
    Quantity.KUBELKA_MUNK,
    Quantity.SINGLE_BEAM,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layout:
    """A text table as it stands in its file, before a spectrum is chosen from it.

    Attributes
    ----------
    path
        The file.
    values : (rows, columns) array
        All its numbers; NaN where a cell is blank.
    names : tuple of str
        Column names; empty where the file has none and its program is not known.
    meanings : tuple of Meaning
        What is known of each column.
    lines : (rows,) array of int
        The line of each row, counted from 1.
    delimiter, decimal, encoding
        How it is written; a delimiter of one blank stands for any run of blanks.
    metadata
        Keys and values of the preamble.
    warnings
        What was odd.
    header
        The words above the table.
    hidden
        Rows that a sample of the file leaves out between its head and its tail.
    declared
        How many points the preamble says there are.
    technique
        How the program that wrote the file measures, or its words say so.
    program
        Whose export it is, where its mark is known.
    """

    path: Path
    values: Array
    names: tuple[str, ...]
    meanings: tuple[Meaning, ...]
    lines: NDArray[np.int64]
    delimiter: str
    decimal: str
    encoding: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    header: Header = field(default_factory=Header)
    hidden: int = 0
    declared: int | None = None
    technique: Technique = Technique.UNKNOWN
    program: str | None = None


def read_layout(path: str | os.PathLike[str]) -> Layout:
    """Read the table of numbers in a text file and the words about it.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    DataError
        With a reason: ``not-found``, ``unreadable``, ``read-failed``, ``not-a-file``, ``empty-file``,
        ``too-large``, ``binary``, ``unsupported-format``, ``encoding``, ``truncated``, ``not-a-spectrum``,
        ``unknown-layout``, ``broken-table``.
    """
    path = Path(path)
    data = load(path)
    decoded = text_of(path, data)
    lines = whole(decoded.text)
    block = find_block(lines)
    if block is None:
        raise no_table(path, lines)
    return layout_of(path, lines, block, decoded)


def layout_of(path: Path, lines: Lines, block: Block, decoded: Decoded) -> Layout:
    """Say what the words around a table mean.

    Raises
    ------
    DataError
        Reason ``truncated`` or ``broken-table``.
    """
    _refuse_broken(path, block)
    header = read_header(lines, block)
    columns = block.values.shape[1]
    dialect = dialect_of(header.preamble, columns)
    declared = declared_points(header.preamble, dict(header.metadata), dialect)
    warnings = [*decoded.warnings, *refuse_truncated(path, lines, block, header.preamble, declared)]
    if block.outside.size:
        warnings.append(f"line {block.outside[0]} looks like a row of the table and stands outside it; not used")
    if dialect is not None:
        names, meanings = dialect.names, list(dialect.columns)
    else:
        names = header.names
        units = header.units or (None,) * columns
        meanings = (
            [meaning(n, unit_of(u) or u if u else None) for n, u in zip(names, units, strict=True)] if names else []
        )
        meanings = meanings or [Meaning() for _ in range(columns)]
    above = lines.text[: lines.starts[lines.index(int(block.lines[0]))]] if header.preamble or names else ""
    if dialect is None:
        meanings = _with_preamble(meanings, header.preamble, header.metadata, above)
    return Layout(
        path=path,
        values=block.values,
        names=names,
        meanings=tuple(meanings),
        lines=block.lines,
        delimiter=block.delimiter,
        decimal=block.decimal,
        encoding=decoded.encoding,
        metadata=header.metadata,
        warnings=tuple(warnings),
        header=header,
        hidden=block.hidden,
        declared=declared,
        technique=dialect.technique if dialect is not None else technique_in(above, meanings),
        program=dialect.program if dialect is not None else None,
    )


def technique_in(words: str, meanings: list[Meaning]) -> Technique:
    """How a file's spectra were measured, where its words say so."""
    if any(each.axis_kind is AxisKind.RAMAN_SHIFT for each in meanings):
        return Technique.RAMAN
    if any(each.quantity is Quantity.FLUORESCENCE for each in meanings):
        return Technique.FLUORESCENCE
    return next((technique for pattern, technique in _TECHNIQUES if words and pattern.search(words)), Technique.UNKNOWN)


def _with_preamble(
    meanings: list[Meaning], preamble: tuple[str, ...], metadata: Mapping[str, str], above: str
) -> list[Meaning]:
    """Add what the preamble says of a table whose header is silent: ``XUNITS 1/CM``, a line ``Reflectance``."""
    if preamble:
        meanings = _keyed(meanings, preamble, metadata)
    first = next((i for i, each in enumerate(meanings) if each.role is Role.AXIS), None)
    if first is None or meanings[first].axis_kind is not AxisKind.UNKNOWN or meanings[first].unit != "cm-1":
        return meanings
    # A bare 1/cm is told by its companions: who knows the laser measures a shift, who absorbs a wavenumber.
    kind = AxisKind.UNKNOWN
    if any(each.quantity in _OF_ABSORPTION for each in meanings):
        kind = AxisKind.WAVENUMBER
    elif above and _RAMAN.search(above):
        kind = AxisKind.RAMAN_SHIFT
    meanings[first] = Meaning(role=Role.AXIS, axis_kind=kind, unit="cm-1")
    return meanings


def _keyed(meanings: list[Meaning], preamble: tuple[str, ...], metadata: Mapping[str, str]) -> list[Meaning]:
    said = {key.casefold(): value for key, value in metadata.items()}
    unit = next((unit_of(said[key]) for key in _AXIS_UNIT_KEYS if key in said), None)
    quantity = next((meaning(said[key]) for key in _QUANTITY_KEYS if key in said), None)
    if quantity is None:
        alone = [meaning(line) for line in preamble if 3 < len(line.strip()) < 40 and not _PARTED.search(line)]
        quantity = next((m for m in alone if m.role is Role.RESULT and m.quantity is not Quantity.UNKNOWN), None)
    first, *rest = meanings
    if first.role in (Role.UNKNOWN, Role.AXIS) and first.axis_kind is AxisKind.UNKNOWN and (unit or first.unit):
        unit = unit or first.unit
        kind = AxisKind.WAVELENGTH if unit in ("nm", "um") else AxisKind.UNKNOWN
        first = Meaning(role=Role.AXIS, axis_kind=kind, unit=unit)
    if len(rest) == 1 and rest[0].role is Role.UNKNOWN and quantity is not None:
        rest = [quantity]
    return [first, *rest]


def _refuse_broken(path: Path, block: Block) -> None:
    after = block.outside[block.outside > block.lines[-1]]
    if block.outside.size >= MIN_ROWS or (after.size and after[0] - block.lines[-1] <= 3):
        end = int(block.lines[-1])
        where = end + 1 if after.size else int(block.lines[0]) - 1
        raise DataError(
            f"{path}, line {where}: the table of {block.values.shape[1]} columns is interrupted here and goes on "
            f"elsewhere ({block.outside.size} more rows); mend that line, or put each table in a file of its own",
            reason="broken-table",
        )


def no_table(path: Path, lines: Lines) -> DataError:
    """Why a text without a table is none that can be read."""
    if not lines.text.strip("\ufeff\x00 \t\n"):
        return DataError(f"{path}: nothing but blanks; export it again", reason="empty-file")
    longest = max(
        (len(re.findall(r"\d[^\s,;]*", lines.line(int(i)))) for i in np.flatnonzero(lines.has_digit)[:50]),
        default=0,
    )
    if longest >= 20:
        return DataError(
            f"{path}: lines of {longest} numbers, but no row or column of them runs one way, so none can be the axis; "
            "export one spectrum as two columns",
            reason="unknown-layout",
        )
    return DataError(
        f"{path}: no table of {MIN_ROWS} or more rows with an axis and an intensity", reason="not-a-spectrum"
    )

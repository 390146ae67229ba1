"""Read one spectrum from a plain text table, whatever the program that wrote it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra._model import Array, AxisKind, Quantity, Spectrum
from batchlab.spectra._read._block import MIN_ROWS, Block, find_block
from batchlab.spectra._read._columns import Selector, choose_axis, choose_signal, steps_back
from batchlab.spectra._read._dialects import declared_points, dialect_of
from batchlab.spectra._read._encoding import Decoded, decode
from batchlab.spectra._read._header import read_header
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._load import load
from batchlab.spectra._read._magic import refuse_by_magic
from batchlab.spectra._read._sample import whole
from batchlab.spectra._read._truncation import refuse_truncated
from batchlab.spectra._read._vocabulary import Meaning, Role, meaning, unit_of

__all__ = ["Layout", "read_layout", "read_text"]

_RAMAN = re.compile(r"\braman\b", re.IGNORECASE)
_KEYED_AXIS_UNIT = ("XUNITS", "##XUNITS")
_KEYED_QUANTITY = ("YUNITS", "##YUNITS")
_LEAST_KEPT = 0.5


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
    refuse_by_magic(path, data)
    decoded = decode(path, data)
    lines = whole(decoded.text)
    block = find_block(lines)
    if block is None or block.values.shape[1] < 2:
        raise _no_table(path, decoded, lines)
    _refuse_broken(path, block)
    return _described(path, decoded, lines, block)


def read_text(
    path: str | os.PathLike[str],
    *,
    axis: Selector | None = None,
    column: Selector | None = None,
    axis_kind: AxisKind | str | None = None,
    axis_unit: str | None = None,
    quantity: Quantity | str | None = None,
    unit: str | None = None,
    name: str | None = None,
) -> Spectrum:
    """Read one spectrum from a text file of an axis column and one or more intensity columns.

    What the file says is believed; what neither it nor the caller says stays unknown, and is never guessed
    from the size of the values. Points whose axis or intensity is blank are left out, with a warning.

    Parameters
    ----------
    path
        The file.
    axis, column
        The axis and the intensity column, by name (or an unmistakable part of it) or by number counted from
        0. Without them: the axis that the file names, else the first column that runs one way; the only
        intensity, else the only result among dark, reference, sample and result columns (absorbance before
        transmittance).
    axis_kind, axis_unit, quantity, unit
        What they are, where the caller knows it better than the file.
    name
        What to call the spectrum; default the file's stem.

    Returns
    -------
    Spectrum
        In the order of the file, its first and last point included.

    Raises
    ------
    DataError
        The reasons of `read_layout`, and ``ambiguous-columns`` or ``no-such-column``, naming the columns.
    """
    layout = read_layout(path)
    values, names = layout.values, layout.names
    at = choose_axis(layout.path, values, names, layout.meanings, axis)
    signal = choose_signal(layout.path, values, names, layout.meanings, at, column)
    if at == signal:
        raise DataError(
            f"{path}: column {at} cannot be both axis and intensity; choose another with axis= or column=",
            reason="ambiguous-columns",
        )
    kept, gaps = _kept_rows(layout, at, signal)
    x = values[kept, at]
    warnings = [*layout.warnings, *gaps, *_axis_warnings(layout, kept, x)]
    kind, x_unit = layout.meanings[at].axis_kind, layout.meanings[at].unit
    if axis_kind is not None:
        stated = AxisKind(axis_kind)
        if kind not in (stated, AxisKind.UNKNOWN):
            warnings.append(f"the file calls the axis a {kind}; taken for a {stated} as asked")
            x_unit = None
        kind = stated
    said = layout.meanings[signal]
    metadata = dict(layout.metadata)
    metadata.setdefault("encoding", layout.encoding)
    if names:
        metadata.setdefault("column", names[signal])
    return Spectrum(
        axis=x,
        intensity=values[kept, signal],
        axis_kind=kind,
        axis_unit=_in_our_spelling(axis_unit) or x_unit,
        quantity=said.quantity if quantity is None else Quantity(quantity),
        unit=_in_our_spelling(unit) or said.unit,
        name=layout.path.stem if name is None else name,
        metadata=metadata,
        warnings=tuple(warnings),
    )


def _described(path: Path, decoded: Decoded, lines: Lines, block: Block) -> Layout:
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
        meanings = _with_preamble(
            meanings, header.preamble, header.metadata, lines.text[: lines.starts[block.lines[0] - 1]]
        )
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
    )


def _with_preamble(
    meanings: list[Meaning], preamble: tuple[str, ...], metadata: Mapping[str, str], above: str
) -> list[Meaning]:
    """Add what the preamble says of a table whose header is silent: ``XUNITS 1/CM``, a line ``Reflectance``."""
    if not preamble:
        return meanings
    unit = next((unit_of(metadata[key]) for key in _KEYED_AXIS_UNIT if key in metadata), None)
    quantity = next((meaning(metadata[key]) for key in _KEYED_QUANTITY if key in metadata), None)
    if quantity is None:
        alone = [meaning(line) for line in preamble if 3 < len(line.strip()) < 40]
        quantity = next((m for m in alone if m.role is Role.RESULT and m.quantity is not Quantity.UNKNOWN), None)
    first, *rest = meanings
    if first.role in (Role.UNKNOWN, Role.AXIS) and first.axis_kind is AxisKind.UNKNOWN and (unit or first.unit):
        unit = unit or first.unit
        kind = AxisKind.WAVELENGTH if unit in ("nm", "um") else AxisKind.UNKNOWN
        if unit == "cm-1" and _RAMAN.search(above):
            kind = AxisKind.RAMAN_SHIFT
        first = Meaning(role=Role.AXIS, axis_kind=kind, unit=unit)
    if len(rest) == 1 and rest[0].role is Role.UNKNOWN and quantity is not None:
        rest = [quantity]
    return [first, *rest]


def _kept_rows(layout: Layout, at: int, signal: int) -> tuple[NDArray[np.intp], list[str]]:
    """Rows that have both an axis value and an intensity, and a warning that counts the others."""
    whole = ~np.isnan(layout.values[:, at]) & ~np.isnan(layout.values[:, signal])
    kept = np.flatnonzero(whole)
    left_out = whole.size - kept.size
    if kept.size < max(MIN_ROWS, _LEAST_KEPT * whole.size):
        raise DataError(
            f"{layout.path}: {left_out} of {whole.size} rows have a blank axis or intensity (columns "
            f"{at} and {signal}), so this is no plain table; export one spectrum as two columns",
            reason="unknown-layout",
        )
    if not left_out:
        return kept, []
    inside = int(kept[-1] - kept[0] + 1 - kept.size)
    return kept, [
        f"{left_out} rows without an axis value or an intensity are left out, {inside} of them between other points"
    ]


def _axis_warnings(layout: Layout, kept: NDArray[np.intp], x: Array) -> list[str]:
    against, still = steps_back(x)
    warnings = []
    if against.size:
        line = layout.lines[kept[against[0]]]
        warnings.append(
            f"the axis steps back {against.size} times, first at line {line} ({x[against[0]]:g}); "
            "points are sorted before they are compared"
        )
    if still.size:
        line = layout.lines[kept[still[0]]]
        warnings.append(
            f"{still.size} axis values are said twice, first at line {line} ({x[still[0]]:g}); "
            "their mean is used where spectra are compared"
        )
    return warnings


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


def _no_table(path: Path, decoded: Decoded, lines: Lines) -> DataError:
    if not decoded.text.strip("\ufeff\x00 \t\r\n"):
        return DataError(f"{path}: nothing but blanks; export it again", reason="empty-file")
    longest = max(
        (len(re.findall(r"\d[^\s,;]*", lines.line(int(i)))) for i in np.flatnonzero(lines.has_digit)[:50]),
        default=0,
    )
    if longest >= 20:
        return DataError(
            f"{path}: no columns of numbers, but lines of {longest} of them: is there a spectrum in each row? "
            "This reader takes one axis column and intensity columns; transpose the table",
            reason="unknown-layout",
        )
    return DataError(
        f"{path}: no table of {MIN_ROWS} or more rows with an axis and an intensity", reason="not-a-spectrum"
    )


def _in_our_spelling(unit: str | None) -> str | None:
    return None if unit is None else unit_of(unit) or unit

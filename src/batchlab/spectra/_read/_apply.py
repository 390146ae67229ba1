"""Apply a plan to a text file: the same plan and the same bytes give the same spectra, whoever wrote the plan."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from batchlab.errors import DataError
from batchlab.spectra._kinds import Orientation, SpectrumRole
from batchlab.spectra._model import Spectrum
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._block import Block, block_under
from batchlab.spectra._read._encoding import Decoded
from batchlab.spectra._read._entries import (
    Entry,
    Wanted,
    entries_of_columns,
    entries_of_plates,
    entries_of_rows,
    entry_of_single_y,
)
from batchlab.spectra._read._header import metadata_of
from batchlab.spectra._read._layout import Layout, layout_of
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._load import load
from batchlab.spectra._read._plates import read_plates
from batchlab.spectra._read._proposal import SIGN_OF
from batchlab.spectra._read._sample import whole
from batchlab.spectra._read._source import text_of

__all__ = ["apply_plan", "entries_of"]

_FENCE_WITHIN = 1000  # lines


def apply_plan(plan: Plan, path: str | os.PathLike[str], data: bytes | None = None) -> tuple[Spectrum, ...]:
    """Read the spectra of a text file as a plan says.

    Parameters
    ----------
    plan
        How the file is laid out; its own lines must fit the file's, or its fences be found in it.
    path
        The file.
    data
        Its bytes, where they are known already; else they are read.

    Returns
    -------
    tuple of Spectrum
        All but those with the role *ignore*, in the order of the plan, each with its own name.

    Raises
    ------
    DataError
        Reason ``plan-mismatch`` where the plan does not fit this file; ``truncated``, ``broken-table`` and
        ``unknown-layout`` as in `read_layout`; and those of loading and decoding.
    """
    path = Path(path)
    data = load(path) if data is None else data
    decoded = text_of(path, data, plan.encoding)
    entries = entries_of(path, whole(decoded.text), decoded, plan)
    return tuple(each.make(Wanted()) for each in entries if each.role is not SpectrumRole.IGNORE)


def entries_of(path: Path, lines: Lines, decoded: Decoded, plan: Plan, layout: Layout | None = None) -> list[Entry]:
    """The spectra of a text under a plan, those to ignore too.

    Parameters
    ----------
    path, lines, decoded
        The file and all its text.
    plan
        How it is laid out.
    layout
        Its table of columns, where it was read already.
    """
    plan = _placed(path, lines, plan)
    if plan.orientation in (Orientation.COLUMNS, Orientation.PAIRS):
        table = layout or _table(path, lines, decoded, plan)
        _check_columns(path, table, plan)
        return entries_of_columns(table, plan, lines)
    if plan.orientation is Orientation.ROWS:
        return entries_of_rows(path, lines, plan, decoded.encoding, decoded.warnings)
    if plan.orientation is Orientation.MATRIX:
        return entries_of_plates(path, read_plates(path, lines), plan, decoded.encoding)
    above = tuple(lines.line(i) for i in range(min(lines.index(plan.first_data_line), len(lines))))
    return [entry_of_single_y(path, lines, plan, metadata_of(above), decoded.encoding, decoded.warnings)]


def _placed(path: Path, lines: Lines, plan: Plan) -> Plan:
    """A plan with its lines moved to where its first fence stands in this file."""
    if plan.begin_fence is None or plan.orientation is Orientation.MATRIX:
        return plan
    wanted = plan.begin_fence.strip()
    at = next((i for i in range(min(len(lines), _FENCE_WITHIN)) if lines.line(i).strip() == wanted), None)
    if at is None:
        raise _mismatch(path, f"no line {wanted!r}")
    begin = next((i for i in range(at + 1, len(lines)) if not lines.blank[i]), len(lines))
    moved = lines.number(begin) - plan.first_data_line
    if not moved:
        return plan
    last = plan.last_data_line
    return plan.model_copy(
        update={
            "first_data_line": plan.first_data_line + moved,
            "last_data_line": None if last is None else max(1, last + moved),
            "header_lines": tuple(max(1, line + moved) for line in plan.header_lines),
        }
    )


def _table(path: Path, lines: Lines, decoded: Decoded, plan: Plan) -> Layout:
    begin = lines.index(plan.first_data_line)
    delimiter, decimal = SIGN_OF[plan.delimiter], "," if plan.decimal == "comma" else "."
    block = block_under(lines, delimiter, decimal, begin) if begin < len(lines) else None
    if block is None or block.values.shape[1] < 2:
        raise _mismatch(path, f"line {plan.first_data_line} is no row of numbers parted by {plan.delimiter}")
    block = _from(path, block, plan)
    if plan.last_data_line is not None:
        kept = block.lines <= plan.last_data_line
        block = replace(block, values=block.values[kept], lines=block.lines[kept], outside=block.outside[:0])
    return layout_of(path, lines, block, decoded)


def _from(path: Path, block: Block, plan: Plan) -> Block:
    """The rows from the plan's first on; another row above it is a point that the plan would lose."""
    kept = block.lines >= plan.first_data_line
    above = block.lines[~kept]
    if above.size and not set(above.tolist()) <= set(plan.header_lines):
        raise _mismatch(
            path, f"line {above[-1]} is a row of the table and stands before its first line {plan.first_data_line}"
        )
    return replace(block, values=block.values[kept], lines=block.lines[kept])


def _check_columns(path: Path, layout: Layout, plan: Plan) -> None:
    columns = layout.values.shape[1]
    asked = [i for each in plan.spectra for i in (each.column, each.axis_column) if i is not None]
    asked += [plan.axis.column] if plan.axis.column is not None else []
    if asked and max(asked) >= columns:
        raise _mismatch(path, f"it names column {max(asked)}, the table has {columns}, counted from 0")
    if not plan.spectra:
        raise _mismatch(path, "it names no spectrum")


def _mismatch(path: Path, what: str) -> DataError:
    return DataError(f"{path}: the plan does not fit: {what}; recognise the file anew", reason="plan-mismatch")

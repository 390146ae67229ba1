"""The spectra of a file by name, each taken from its table only when it is asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Orientation, Quantity, SpectrumRole
from batchlab.spectra._model import Array, Spectrum
from batchlab.spectra._plan import Plan, SpectrumPlan
from batchlab.spectra._read._layout import Layout
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._ops import apply_ops
from batchlab.spectra._read._plates import Plate
from batchlab.spectra._read._proposal import SIGN_OF
from batchlab.spectra._read._rows import axis_cells, split, to_number
from batchlab.spectra._read._single_y import key_number
from batchlab.spectra._read._take import Said, axis_warnings, in_our_spelling, take, unique
from batchlab.spectra._unit_words import AXIS_UNITS, SIGNAL_UNITS

__all__ = [
    "Entry",
    "Wanted",
    "entries_of_columns",
    "entries_of_plates",
    "entries_of_rows",
    "entries_of_spectra",
    "entry_of_single_y",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the reader's caller states, and knows better than the file; None where nothing is stated."""

    axis_kind: AxisKind | None = None
    axis_unit: str | None = None
    quantity: Quantity | None = None
    unit: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One spectrum of a file: its name, its role, where it stands, and how to get it."""

    name: str
    role: SpectrumRole
    where: str
    make: Callable[[Wanted], Spectrum]


def entries_of_columns(layout: Layout, plan: Plan, lines: Lines) -> list[Entry]:
    """The spectra of a table of columns or of pairs."""
    names = _column_names(layout, plan, lines)

    def entry(each: SpectrumPlan, name: str) -> Entry:
        column = each.column or 0
        axis = (each.axis_column if plan.orientation is Orientation.PAIRS else plan.axis.column) or 0

        def make(wanted: Wanted) -> Spectrum:
            said, warnings = stated(_said(plan, each), wanted)
            made = take(layout, axis, column, said, wanted.name or name, warnings)
            return _operated(made, plan)

        heading = layout.names[column] if layout.names else ""
        return Entry(name=name, role=each.role, where=f"{column}: {heading}" if heading else str(column), make=make)

    return [entry(each, name) for each, name in zip(plan.spectra, names, strict=True)]


def entries_of_rows(path: Path, lines: Lines, plan: Plan, encoding: str, warnings: tuple[str, ...]) -> list[Entry]:
    """The spectra of a table with one in each row.

    Raises
    ------
    DataError
        Reason ``plan-mismatch`` where the plan's lines hold no such table; ``truncated`` where the last row ends early.
    """
    delimiter, decimal = SIGN_OF[plan.delimiter], "," if plan.decimal == "comma" else "."
    header = lines.index(plan.axis.header_row or 1)
    begin = lines.index(plan.first_data_line)
    if not (0 <= header < len(lines) and header < begin < len(lines)):
        raise _mismatch(path, plan, "its axis row and first row are not in this file")
    cells = split(lines.line(header), delimiter)
    first = plan.first_column or 0
    last = min(plan.last_column if plan.last_column is not None else len(cells) - 1, len(cells) - 1)
    parsed = axis_cells(cells[first : last + 1], decimal)
    if len(parsed) < 2 or any(each is None for each in parsed):
        raise _mismatch(path, plan, f"line {plan.axis.header_row} is no row of axis values")
    axis = np.array([each[0] for each in parsed if each is not None])
    end = len(lines) if plan.last_data_line is None else min(len(lines), lines.index(plan.last_data_line) + 1)
    heads = [cell.strip().strip('"').strip() for cell in cells]
    above = {"encoding": encoding}
    rules = {each.rows: each for each in plan.spectra}
    everywhere = rules.get("all")
    found: list[tuple[str, SpectrumPlan, Array, dict[str, str], int]] = []
    for i in range(begin, end):
        if lines.blank[i]:
            continue
        row = split(lines.line(i), delimiter)
        numbers = [to_number(cell, decimal) for cell in row[first : last + 1]]
        whole = len(numbers) == axis.size and None not in numbers
        if not whole:
            _refuse_cut_row(path, lines, i, row, last, bool(found))
            break
        rule = rules.get(lines.number(i), everywhere)
        if rule is None:
            continue
        labels = {
            (heads[k] if k < len(heads) and heads[k] else f"column {k}"): row[k].strip().strip('"').strip()
            for k in (*range(first), *range(last + 1, len(row)))
            if row[k].strip()
        }
        named = rule.name_column is not None and rule.name_column < len(row)
        label = row[rule.name_column].strip().strip('"').strip() if named and rule.name_column is not None else ""
        name = path.stem if rule.name_from == "file" else label or f"{path.stem} {len(found) + 1}"
        found.append((name, rule, np.array(numbers, dtype=np.float64), {**above, **labels}, i))
    if not found:
        raise _mismatch(path, plan, f"line {plan.first_data_line} begins no row of {axis.size} intensities")
    if found[-1][-1] == len(lines) - 1 and not lines.text.endswith("\n"):
        ends = f"line {lines.number(len(lines) - 1)}, the last one, does not end"
        warnings = (*warnings, f"{ends}; if the file was cut off, its last number may be wrong")
    names = unique(name for name, *_ in found)
    return [
        _array_entry(plan, each, axis, values, name, metadata, warnings, f"row {lines.number(at)}")
        for name, (_, each, values, metadata, at) in zip(names, found, strict=True)
    ]


def entries_of_plates(path: Path, plates: tuple[Plate, ...], plan: Plan, encoding: str) -> list[Entry]:
    """The spectra of plates' wells."""
    several = len(plates) > 1
    rule = plan.spectra[0] if plan.spectra else SpectrumPlan(rows="all")
    return [
        _array_entry(
            plan,
            rule,
            plate.wavelength,
            plate.values[:, i],
            f"{plate.name} {well}" if several else well,
            {"encoding": encoding, "plate": plate.name, "well": well},
            (),
            f"well {well}",
        )
        for plate in plates
        for i, well in enumerate(plate.wells)
        if np.isfinite(plate.values[:, i]).sum() >= 2
    ]


def entry_of_single_y(
    path: Path, lines: Lines, plan: Plan, metadata: Mapping[str, str], encoding: str, warnings: tuple[str, ...]
) -> Entry:
    """The spectrum of a column of intensities alone.

    Raises
    ------
    DataError
        Reason ``truncated`` where fewer points are there than declared; ``plan-mismatch``.
    """
    begin = lines.index(plan.first_data_line)
    above = [lines.line(i) for i in range(min(begin, len(lines)))]
    keys = (plan.axis.first_key, plan.axis.last_key, plan.axis.count_key)
    first, last, count = (key_number(dict(metadata), above, key or "") for key in keys)
    if first is None or last is None or count is None or count != int(count) or count < 2:
        raise _mismatch(path, plan, f"{', '.join(str(key) for key in keys)} do not tell its axis")
    decimal = "," if plan.decimal == "comma" else "."
    numbers: list[float] = []
    for i in range(begin, len(lines)):
        if lines.blank[i]:
            continue
        number = to_number(lines.line(i), decimal)
        if number is None:
            break
        numbers.append(number)
    if len(numbers) != count:
        less = len(numbers) < count
        raise DataError(
            f"{path}: the preamble declares {count:g} points, {len(numbers)} are there"
            + (": the file is cut off; copy it again" if less else "; mend the one or the other"),
            reason="truncated" if less else "plan-mismatch",
        )
    rule = plan.spectra[0] if plan.spectra else SpectrumPlan(column=0)
    axis = np.linspace(first, last, len(numbers))
    return _array_entry(
        plan, rule, axis, np.array(numbers), path.stem, {"encoding": encoding, **metadata}, warnings, "0"
    )


def entries_of_spectra(spectra: tuple[Spectrum, ...]) -> list[Entry]:
    """The spectra of a format of its own, read already."""

    def entry(spectrum: Spectrum, name: str) -> Entry:
        def make(wanted: Wanted) -> Spectrum:
            said = Said(
                axis_kind=spectrum.axis_kind,
                axis_unit=spectrum.axis_unit,
                quantity=spectrum.quantity,
                unit=spectrum.unit,
            )
            changed, warnings = stated(said, wanted)
            return replace(
                spectrum,
                axis_kind=changed.axis_kind,
                axis_unit=changed.axis_unit,
                quantity=changed.quantity,
                unit=changed.unit,
                name=wanted.name or name,
                warnings=(*spectrum.warnings, *warnings),
            )

        return Entry(name=name, role=spectrum.role, where=name, make=make)

    names = unique(each.name for each in spectra)
    return [entry(each, name) for each, name in zip(spectra, names, strict=True)]


def stated(said: Said, wanted: Wanted) -> tuple[Said, list[str]]:
    """What the caller states goes before what the file says; where they differ, a warning tells.

    Raises
    ------
    DataError
        Reason ``unit-mismatch``: the unit that the caller states is none of the axis that the file states.
    """
    warnings = []
    kind = said.axis_kind if wanted.axis_kind is None else wanted.axis_kind
    axis_unit, unit = said.axis_unit, said.unit
    if kind is not said.axis_kind:
        if said.axis_kind is not AxisKind.UNKNOWN:
            warnings.append(f"the file calls the axis a {said.axis_kind}; taken for a {kind} as asked")
        if said.axis_kind is not AxisKind.UNKNOWN or axis_unit not in AXIS_UNITS.get(kind, (axis_unit,)):
            axis_unit = None
    if wanted.axis_unit is not None:
        given = in_our_spelling(wanted.axis_unit)
        if kind is said.axis_kind and given not in AXIS_UNITS.get(kind, (given,)):
            raise DataError(
                f"the file calls its axis a {kind}, which is in {' or '.join(AXIS_UNITS[kind])} and not in {given}; "
                "state axis_kind too if the file is wrong, or to_axis to convert it",
                reason="unit-mismatch",
            )
        if axis_unit not in (None, given):
            warnings.append(f"the file says that its axis is in {axis_unit}; taken for {given} as asked, not converted")
        axis_unit = given
    quantity = said.quantity if wanted.quantity is None else wanted.quantity
    if quantity is not said.quantity:
        if said.quantity not in (Quantity.UNKNOWN, Quantity.INTENSITY):
            warnings.append(f"the file calls the signal {said.quantity}; taken for {quantity} as asked, not converted")
        if unit not in SIGNAL_UNITS.get(quantity, (unit,)):
            unit = None
    if wanted.unit is not None:
        given = in_our_spelling(wanted.unit)
        if unit not in (None, given):
            warnings.append(f"the file says that its signal is in {unit}; taken for {given} as asked, not converted")
        unit = given
    return replace(said, axis_kind=kind, axis_unit=axis_unit, quantity=quantity, unit=unit), warnings


def _array_entry(
    plan: Plan,
    rule: SpectrumPlan,
    axis: Array,
    values: Array,
    name: str,
    metadata: dict[str, str],
    warnings: tuple[str, ...],
    where: str,
) -> Entry:
    def make(wanted: Wanted) -> Spectrum:
        said, more = stated(_said(plan, rule), wanted)
        there = np.isfinite(values)
        gaps = [f"{int((~there).sum())} blank points are left out"] if not there.all() else []
        made = Spectrum(
            axis=axis[there],
            intensity=values[there],
            axis_kind=said.axis_kind,
            axis_unit=said.axis_unit,
            quantity=said.quantity,
            unit=said.unit,
            role=said.role,
            technique=said.technique,
            name=wanted.name or name,
            metadata=metadata,
            warnings=(*warnings, *gaps, *axis_warnings(axis[there]), *more),
        )
        return _operated(made, plan)

    return Entry(name=name, role=rule.role, where=where, make=make)


def _said(plan: Plan, each: SpectrumPlan) -> Said:
    return Said(
        axis_kind=plan.axis.kind,
        axis_unit=plan.axis.unit,
        quantity=each.quantity,
        unit=each.unit,
        role=each.role,
        technique=plan.technique,
    )


def _operated(spectrum: Spectrum, plan: Plan) -> Spectrum:
    if not plan.ops:
        return spectrum
    axis, intensity, unit = apply_ops(spectrum.axis, spectrum.intensity, spectrum.unit, plan.ops)
    return replace(spectrum, axis=axis, intensity=intensity, unit=unit)


def _column_names(layout: Layout, plan: Plan, lines: Lines) -> list[str]:
    """The names of a table's spectra, each its own."""
    stem = layout.path.stem
    title: list[str] = []
    if plan.orientation is Orientation.PAIRS and plan.header_lines:
        title = split(lines.line(lines.index(plan.header_lines[0])), SIGN_OF[plan.delimiter])
    names = []
    for number, each in enumerate(plan.spectra, 1):
        name = ""
        if each.name_from == "header":
            places = [i for i in (each.axis_column, each.column) if i is not None]
            if title and len(plan.header_lines) > 1:
                name = next((title[i].strip().strip('"') for i in places if i < len(title) and title[i].strip()), "")
            elif layout.names and each.column is not None:
                name = layout.names[each.column]
        names.append(name or (stem if len(plan.spectra) == 1 or each.name_from == "file" else f"{stem} {number}"))
    return unique(names)


def _refuse_cut_row(path: Path, lines: Lines, at: int, row: list[str], last: int, begun: bool) -> None:
    """Raise where a row ends early and nothing comes after it."""
    nothing_below = bool(lines.blank[at + 1 :].all())
    if begun and nothing_below and len(row) <= last and lines.has_digit[at]:
        raise DataError(
            f"{path}, line {lines.number(at)}: the last row has {len(row)} cells instead of {last + 1}: "
            "the file is cut off; copy it again",
            reason="truncated",
        )


def _mismatch(path: Path, plan: Plan, what: str) -> DataError:
    return DataError(f"{path}: the plan does not fit: {what}; recognise the file anew", reason="plan-mismatch")

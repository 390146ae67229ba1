"""Propose how a table with a spectrum in each row is read."""

from __future__ import annotations

import re

import numpy as np

from batchlab.spectra._kinds import AxisKind, Orientation, Quantity, SpectrumRole
from batchlab.spectra._plan import AxisPlan, Plan, SpectrumPlan
from batchlab.spectra._read._columns import steps_back
from batchlab.spectra._read._layout import technique_in
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._proposal import DELIMITER_WORD, Evidence, Proposal
from batchlab.spectra._read._propose_columns import is_smooth
from batchlab.spectra._read._rows import LABEL_WORDS, RowTable, find_rows, split, to_number
from batchlab.spectra._read._vocabulary import Meaning, Role, meaning, unit_of
from batchlab.spectra._words import agreed, counted

__all__ = ["propose_rows"]

_NAME_WORDS = re.compile(r".*\b(?:name|label|title)\b.*", re.IGNORECASE)
_FEW_ROWS = 8
_ROLES = {
    Role.RESULT: SpectrumRole.SAMPLE,
    Role.RAW: SpectrumRole.SAMPLE,
    Role.DARK: SpectrumRole.DARK,
    Role.REFERENCE: SpectrumRole.REFERENCE,
    Role.BACKGROUND: SpectrumRole.BACKGROUND,
}


def propose_rows(lines: Lines, encoding: str, warnings: tuple[str, ...]) -> Proposal | None:
    """Propose a spectrum for each row; None where no line of axis values stands above such rows."""
    table = find_rows(lines)
    if table is None:
        return None
    hidden = lines.gap if table.rows[0] < lines.head <= table.rows[-1] else 0
    labels = [split(lines.line(int(i)), table.delimiter) for i in table.rows[:50]]
    corner = meaning(table.cells[0]) if table.first else Meaning()
    said = _axis_said(table, corner)
    quantity, spectra = _spectra(table, lines, labels)
    above = "\n".join(lines.line(i) for i in range(table.header))
    against = steps_back(table.axis)[0]
    words = "\n".join((above, *(cell for cell in labels[0] if cell.strip().isalpha())))
    plan = Plan.model_construct(
        technique=technique_in(words, [Meaning(quantity=quantity, axis_kind=said.axis_kind)]),
        encoding=encoding,
        delimiter=DELIMITER_WORD[table.delimiter],
        decimal="comma" if table.decimal == "," else "point",
        first_data_line=lines.number(int(table.rows[0])),
        header_lines=(lines.number(table.header),),
        orientation=Orientation.ROWS,
        first_column=table.first,
        last_column=table.last,
        axis=AxisPlan.model_construct(
            header_row=lines.number(table.header),
            kind=said.axis_kind,
            unit=said.unit,
            direction="mixed" if against.size else "ascending" if table.axis[-1] > table.axis[0] else "descending",
        ),
        spectra=spectra,
    )
    evidence = [
        Evidence("axis", *_axis_evidence(table)),
        Evidence("labels", *_label_evidence(table, labels, corner, hidden)),
    ]
    if any("not UTF-8" in each for each in warnings):
        evidence.append(Evidence("encoding", 0.99, f"letters beyond ASCII taken for {encoding}"))
    return Proposal(
        plan=plan,
        evidence=tuple(evidence),
        first=float(table.axis[0]),
        last=float(table.axis[-1]),
        count=table.axis.size,
        covered=not lines.gap or bool(hidden),
    )


def _axis_said(table: RowTable, corner: Meaning) -> Meaning:
    kind = corner.axis_kind if corner.role is Role.AXIS else AxisKind.UNKNOWN
    unit = corner.unit if corner.role is Role.AXIS else None
    if table.unit:
        unit = unit_of(table.unit) or unit
        if kind is AxisKind.UNKNOWN:
            kind = {"nm": AxisKind.WAVELENGTH, "um": AxisKind.WAVELENGTH, "eV": AxisKind.ENERGY}.get(unit or "", kind)
    return Meaning(role=Role.AXIS, axis_kind=kind, unit=unit)


def _spectra(table: RowTable, lines: Lines, labels: list[list[str]]) -> tuple[Quantity, tuple[SpectrumPlan, ...]]:
    """One rule for all rows, or one for each of a few that are named by what they are."""
    if table.first and len(table.rows) <= _FEW_ROWS and not lines.gap:
        said = [meaning(row[0].strip().strip('"')) for row in labels]
        if all(each.role in _ROLES for each in said):
            plans = tuple(
                SpectrumPlan(
                    rows=lines.number(int(i)),
                    role=_ROLES[each.role],
                    quantity=each.quantity,
                    unit=each.unit,
                    name_from="file" if len(said) == 1 else "row",
                    name_column=None if len(said) == 1 else 0,
                )
                for i, each in zip(table.rows, said, strict=True)
            )
            return said[0].quantity, plans
    column = _name_column(table, labels)
    lone = len(table.rows) == 1 and column is None
    return Quantity.UNKNOWN, (SpectrumPlan(rows="all", name_from="file" if lone else "row", name_column=column),)


def _name_column(table: RowTable, labels: list[list[str]]) -> int | None:
    """The cell that names a row: the one its header calls a name, else the first of words."""
    worded = [
        i
        for i in (*range(table.first), *range(table.last + 1, len(table.cells)))
        if any(i < len(row) and row[i].strip() and to_number(row[i], table.decimal) is None for row in labels)
    ]
    called = [i for i in worded if _NAME_WORDS.fullmatch(table.cells[i])]
    before = [i for i in worded if i < table.first]
    return next(iter((*called, *before)), None)


def _axis_evidence(table: RowTable) -> tuple[float, str]:
    points = table.axis.size
    what = f"line of {points} numbers that run one way"
    if points < 8:
        return 0.7, f"a {what}, few for an axis"
    if is_smooth(table.axis):
        return 1.0, f"a {what} evenly"
    integers = bool(np.all(table.axis == np.round(table.axis)))
    steps = np.abs(np.diff(table.axis))
    if integers and steps.max() - steps.min() <= 2:
        return 0.98, f"a {what} evenly but for rounding"
    return (0.9 if points >= 30 else 0.6), f"a {what}, with uneven steps"


def _label_evidence(table: RowTable, labels: list[list[str]], corner: Meaning, hidden: int) -> tuple[float, str]:
    rows = len(table.rows) + hidden
    texts = [row[0] for row in labels] if table.first else []
    if any(text.strip() and to_number(text, table.decimal) is None for text in texts):
        return 1.0, f"{counted(rows, 'row')} that {agreed(rows, 'begins', 'begin')} with words"
    if not table.first:
        return _unlabelled(table, labels, rows)
    numbers = [to_number(text, table.decimal) for text in texts]
    runs = _runs_one_way([number for number in numbers if number is not None])
    if corner.role is Role.AXIS:
        return (0.1, "its first column is called an axis too and runs one way") if runs else (0.8, "a named axis")
    if LABEL_WORDS.fullmatch(table.cells[0]):
        return 0.97, f"{counted(rows, 'row')}, the first column called {table.cells[0]!r}"
    if table.first >= 2:
        return (0.95 if rows > 1 else 0.9), f"{counted(table.first, 'cell')} before the points"
    if not runs or rows < 3:
        return 0.93, f"{counted(rows, 'row')}, their first cells in no order"
    # A table with numbers on both sides is read along its longer one, and that is not sure.
    ratio = table.axis.size / rows
    return float(np.clip(0.45 + 0.1 * np.log2(ratio), 0.1, 0.7)), f"{table.axis.size} numbers across, {rows} down"


def _unlabelled(table: RowTable, labels: list[list[str]], rows: int) -> tuple[float, str]:
    down = [to_number(row[0], table.decimal) for row in labels]
    if rows == 1:
        return (0.97 if table.plain else 0.9), "two lines of as many numbers"
    below = [number for number in down if number is not None]
    if rows >= 5 and _runs_one_way(below):
        # Its first value may be a corner that belongs to neither axis.
        whole = _runs_one_way([float(table.axis[0]), *below])
        return (0.15 if whole else 0.45), "the first column runs one way too"
    return (0.93 if table.axis.size > rows else 0.8), f"{counted(rows, 'row')} without labels"


def _runs_one_way(numbers: list[float]) -> bool:
    steps = np.diff([number for number in numbers if number == number])
    return steps.size > 0 and bool((steps > 0).all() or (steps < 0).all())

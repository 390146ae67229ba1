"""Propose how a table of columns is read: one axis and its spectra, or an axis of its own for each spectrum."""

from __future__ import annotations

import contextlib
import re
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from batchlab.errors import DataError
from batchlab.spectra._kinds import AxisKind, Orientation, Quantity, SpectrumRole
from batchlab.spectra._model import Array
from batchlab.spectra._plan import AxisPlan, Plan, SpectrumPlan
from batchlab.spectra._read._columns import can_be_axis, choose_axis, counts_rows, roles_of, steps_back
from batchlab.spectra._read._layout import Layout
from batchlab.spectra._read._lines import Lines
from batchlab.spectra._read._proposal import DELIMITER_WORD, Evidence, Proposal
from batchlab.spectra._read._rows import LABEL_WORDS, LEAST_POINTS, axis_cells
from batchlab.spectra._read._vocabulary import Meaning, Role

__all__ = ["is_smooth", "propose_columns", "propose_pairs"]

_SMOOTH = 0.12
_RESTART = 0.2  # of the span
_STRAIGHT, _NEARLY_STRAIGHT = 0.995, 0.99  # correlation with the number of the row
_MOST_RIVALS = 3
_SAME_RANGE = 0.8  # share of two ranges
_BESIDE = (AxisKind.UNKNOWN, AxisKind.TIME, AxisKind.PIXEL)  # what may run beside the axis of a spectrum
_FENCE = re.compile(r"^\s*(?:>>>>>.*<<<<<|#?XYDATA.*|#DATA|data\s*[=:].*|\[data\])\s*$", re.IGNORECASE)
_ONLY_DIGITS = re.compile(r"[\d,\s+-]+")
_LEADING_ZERO = re.compile(r",\s*0\d")
_BELOW_ONE = re.compile(r"[+-]?0,")
_THREE_DIGITS = re.compile(r"^[+-]?\d{1,3}(?:,\d{3})+$")


def propose_columns(layout: Layout, lines: Lines) -> Proposal:
    """Propose one axis column and the spectra beside it.

    Raises
    ------
    DataError
        Reason ``unknown-layout`` where no column runs one way, or none is left beside it.
    """
    axis = choose_axis(layout.path, layout.values, layout.names, layout.meanings, None, layout.hidden)
    seen = _axis_evidence(layout, axis)
    rivals = _rivals(layout, axis)
    doubt = max(0.0, 1 - seen[0].factor) / max(1, len(rivals))
    headed = "the header does not name it" if layout.names else "no header"
    others = []
    for i in rivals[:_MOST_RIVALS]:
        words = f"{headed}; column {i} may be the axis rather than {axis}"
        with contextlib.suppress(DataError):
            others.append(_proposed(layout, lines, i, [Evidence("axis", doubt, words)]))
    return replace(_proposed(layout, lines, axis, seen), other_axes=tuple(others))


def _proposed(layout: Layout, lines: Lines, axis: int, seen: list[Evidence]) -> Proposal:
    """The table with this column for its axis."""
    values, names, meanings = layout.values, layout.names, layout.meanings
    roles = roles_of(values, names, meanings, axis)
    if not roles:
        raise DataError(
            f"{layout.path}: no intensity column beside the axis; state it with column=...", reason="unknown-layout"
        )
    points = ~np.isnan(values[:, axis])
    x = values[points, axis]
    samples = [i for i, role in roles.items() if role is SpectrumRole.SAMPLE]
    several = len([role for role in roles.values() if role is not SpectrumRole.IGNORE]) > 1
    spectra = tuple(
        SpectrumPlan(
            column=i,
            role=role,
            quantity=meanings[i].quantity,
            unit=meanings[i].unit,
            name_from="header" if (several or len(samples) > 1) and names else "file",
        )
        for i, role in roles.items()
    )
    evidence = (
        *seen,
        *_run_evidence(layout, x),
        _signal_evidence(layout, roles),
        *_number_evidence(layout, lines),
    )
    return Proposal(
        plan=_plan(layout, lines, Orientation.COLUMNS, meanings[axis], axis, x, spectra),
        evidence=evidence,
        first=float(x[0]),
        last=float(x[-1]),
        count=int(x.size) + layout.hidden,
        first_line=int(layout.lines[points][0]),
        covered=not lines.gap or (bool(layout.hidden) and not np.isnan(values[_at_gap(layout), axis]).any()),
        layout=layout,
    )


def propose_pairs(layout: Layout, lines: Lines) -> Proposal | None:
    """Propose an axis column before each intensity column; None where columns do not alternate so."""
    values, meanings = layout.values, layout.meanings
    columns = values.shape[1]
    if columns < 4 or columns % 2 or not all(can_be_axis(values[:, i]) for i in range(0, columns, 2)):
        return None
    called = [each.role is Role.AXIS for each in meanings]
    named = all(called[0::2]) and not any(called[1::2])
    same = named and len({(each.axis_kind, each.unit) for each in meanings[0::2]}) == 1
    if named and not same:
        return None
    evidence = [Evidence("axis", 1.0, "the header names an axis before each signal")]
    if not named:
        if any(called[1:]) or any(each.role is not Role.UNKNOWN for each in meanings[1:]):
            return None
        # An intensity may run one way too; an axis does so with even steps.
        alike = sum(_overlap(values[:, 0], values[:, i]) > _SAME_RANGE for i in range(0, columns, 2))
        smooth = [is_smooth(_filled(values[:, i])) for i in range(columns)]
        if alike < columns // 2 or counts_rows(values[:, 0]) or not all(smooth[0::2]) or any(smooth[1::2]):
            return None
        evidence = [Evidence("axis", 0.93, "every other column runs evenly over the same range, those between do not")]
    x = _filled(values[:, 0])
    title = _title_line(layout, lines)
    spectra = tuple(
        SpectrumPlan(
            column=i + 1,
            axis_column=i,
            quantity=meanings[i + 1].quantity,
            unit=meanings[i + 1].unit,
            name_from="header" if layout.names or title else "file",
        )
        for i in range(0, columns, 2)
    )
    plan = _plan(layout, lines, Orientation.PAIRS, meanings[0], 0, x, spectra)
    if title is not None:
        plan = plan.model_copy(update={"header_lines": (title, *plan.header_lines)})
    return Proposal(
        plan=plan,
        evidence=(*evidence, *_run_evidence(layout, x, points=False)),
        first=float(x[0]),
        last=float(x[-1]),
        count=int(x.size) + layout.hidden,
        first_line=int(layout.lines[~np.isnan(values[:, 0])][0]),
        covered=not lines.gap or bool(layout.hidden),
        layout=layout,
    )


def is_smooth(x: Array) -> bool:
    """Whether steps hardly change from one to the next, as those of an axis do and those of a signal do not."""
    steps = np.diff(x)
    if steps.size < 3:
        return False
    typical = float(np.median(np.abs(steps)))
    return typical > 0 and float(np.median(np.abs(np.diff(steps)))) <= _SMOOTH * typical


def _at_gap(layout: Layout) -> NDArray[np.intp]:
    """The rows before and after the left out lines of a sample."""
    at = int(np.argmax(np.diff(layout.lines)))
    return np.array([at, at + 1])


def is_even(x: Array) -> bool:
    """Whether nearly all steps are the same but for rounding."""
    steps = np.abs(np.diff(x))
    if steps.size < 3:
        return False
    low, middle, high = np.quantile(steps, (0.02, 0.5, 0.98))
    return bool(middle > 0 and high - low <= 0.03 * middle)


def _plan(
    layout: Layout,
    lines: Lines,
    orientation: Orientation,
    said: Meaning,
    axis: int,
    x: Array,
    spectra: tuple[SpectrumPlan, ...],
) -> Plan:
    against = steps_back(x)[0]
    header = layout.header
    fence = header.preamble[-1].strip() if header.preamble and _FENCE.match(header.preamble[-1]) else None
    if fence is not None and header.lines:
        fence = None
    last = lines.index(int(layout.lines[-1]))
    below = lines.line(last + 1).strip() if last + 1 < len(lines) else ""
    return Plan.model_construct(
        technique=layout.technique,
        encoding=layout.encoding,
        delimiter=DELIMITER_WORD[layout.delimiter],
        decimal="comma" if layout.decimal == "," else "point",
        first_data_line=int(layout.lines[0]),
        last_data_line=None,
        begin_fence=fence and fence[:200],
        end_fence=below[:200] if _FENCE.match(below) else None,
        header_lines=header.lines,
        unit_line=header.unit_line,
        orientation=orientation,
        axis=AxisPlan.model_construct(
            column=axis,
            kind=said.axis_kind,
            unit=said.unit,
            direction="mixed" if against.size else "ascending" if x[-1] > x[0] else "descending",
        ),
        spectra=spectra,
    )


def _axis_evidence(layout: Layout, axis: int) -> list[Evidence]:
    values, meanings = layout.values, layout.meanings
    said = meanings[axis]
    others = [i for i in range(values.shape[1]) if i != axis]
    if layout.program is not None:
        found = [Evidence("axis", 1.0, f"{layout.program} writes the axis first")]
    elif said.role is Role.AXIS and _rivals(layout, axis):
        what = "an axis" if said.axis_kind is AxisKind.UNKNOWN else f"the {said.axis_kind}"
        found = [Evidence("axis", 0.66, f"the header names {what}, and another column runs one way beside it")]
    elif said.role is Role.AXIS and said.axis_kind is not AxisKind.UNKNOWN:
        found = [Evidence("axis", 1.0, f"the header names the {said.axis_kind}")]
    elif said.role is Role.AXIS:
        found = [Evidence("axis", 0.98, "the header names an axis and not which")]
    else:
        found = [_unnamed_axis(layout, axis)]
    if said.role is not Role.AXIS and layout.program is None:
        found += _rows_instead(layout, axis)
    misplaced = [i for i in others if meanings[i].role is Role.AXIS and not can_be_axis(values[:, i])]
    if misplaced and said.role is not Role.AXIS:
        found.append(Evidence("header", 0.4, f"the header calls column {misplaced[0]} the axis, which runs no one way"))
    if axis and said.role is not Role.AXIS and meanings[0].role not in (Role.UNKNOWN, Role.AXIS):
        found.append(Evidence("order", 0.95, "the axis is not the first column"))
    return found


def _rows_instead(layout: Layout, axis: int) -> list[Evidence]:
    """What speaks for spectra in rows: numbers for names, and a first column that only tells rows apart."""
    blank = np.isnan(layout.values[:20])
    if blank[0].any() and not blank[0].all() and not blank[1:].any() and blank[0, : blank[0].sum()].all():
        if blank[0].sum() > 1:
            return [Evidence("first row", 0.2, "the first row begins with blank cells and is whole from there on")]
        return [Evidence("first row", 0.7, "the first row begins with a blank cell and is whole from there on")]
    across = layout.values[0, 1:]
    if (
        not layout.names
        and across.size >= LEAST_POINTS
        and is_smooth(across)
        and np.unique(np.sign(np.diff(across))).size == 1
    ):
        return [Evidence("first row", 0.6, "the first row runs one way evenly, as an axis does")]
    numbers = sum(each is not None for each in axis_cells(list(layout.names), layout.decimal))
    if numbers < LEAST_POINTS:
        return []
    if LABEL_WORDS.fullmatch(layout.names[0]):
        return [Evidence("names", 0.1, f"numbers for names, and the first column called {layout.names[0]!r}")]
    if counts_rows(layout.values[:, axis]):
        return [Evidence("names", 0.3, "numbers for names, and the axis only counts rows")]
    return [Evidence("names", 0.7, "numbers for names")]


def _rivals(layout: Layout, axis: int) -> list[int]:
    """Columns that may be the axis as well as the one taken, for all that the file says of them."""
    values, meanings = layout.values, layout.meanings
    named = meanings[axis].role is Role.AXIS
    if layout.program is not None or (named and (meanings[axis].axis_kind not in _BESIDE or values.shape[1] == 2)):
        return []

    def may_be(column: NDArray[np.float64]) -> bool:
        if named:
            return _runs_straight(layout, column)
        return can_be_axis(column, layout.hidden) or _runs_straight(layout, column)

    return [
        i
        for i in range(values.shape[1])
        if i != axis
        and meanings[i].role is Role.UNKNOWN
        and may_be(values[:, i])
        and not (i == 0 and counts_rows(values[:, i]))
    ]


def _unnamed_axis(layout: Layout, axis: int) -> Evidence:
    rivals = _rivals(layout, axis)
    headed = "the header does not name it" if layout.names else "no header"
    if not rivals:
        return Evidence("axis", 0.96, f"{headed}; only column {axis}, counted from 0, runs steadily up or down")
    # Beside an axis and one signal nothing else stands, so a signal that runs one way is told by its shape. In a table
    # of more columns the even one may be the position of a stage, or a clock, whatever runs beside it.
    x = _filled(layout.values[:, axis])
    smooth = is_smooth(x)
    if layout.values.shape[1] == 2 and not _runs_straight(layout, layout.values[:, rivals[0]], _NEARLY_STRAIGHT):
        rival = _filled(layout.values[:, rivals[0]])
        if is_even(x) and not is_even(rival):
            return Evidence("axis", 0.95, f"{headed}; 2 columns run one way, {axis} in even steps")
        if smooth and not is_smooth(rival):
            return Evidence("axis", 0.9, f"{headed}; of 2 columns that run one way, {axis} runs evenly")
    factor = 0.35 if not smooth else 0.66 if layout.values.shape[1] == 2 else 0.55
    return Evidence("axis", factor, f"{headed}; {len(rivals) + 1} columns run one way, the first of them is taken")


def _runs_straight(layout: Layout, column: NDArray[np.float64], least: float = _STRAIGHT) -> bool:
    """Whether a column goes by the rows but for noise, as positions do that are measured and not set."""
    written = ~np.isnan(column)
    filled = column[written]
    if filled.size < LEAST_POINTS or filled.size < 0.5 * column.size:
        return False
    rows = layout.lines[written] - layout.lines[written].mean()
    off = filled - filled.mean()
    size = float(np.sqrt((rows @ rows) * (off @ off)))
    return size > 0 and abs(float(rows @ off)) >= least * size


def _run_evidence(layout: Layout, x: Array, *, points: bool = True) -> list[Evidence]:
    rows = len(layout.lines) + layout.hidden
    found = [Evidence("rows", 1.0 if rows >= 20 else 0.95 if rows >= 10 else 0.85, f"{rows} rows of one shape")]
    if layout.warnings and any("not UTF-8" in each for each in layout.warnings):
        found.append(Evidence("encoding", 0.99, f"letters beyond ASCII taken for {layout.encoding}"))
    if layout.declared is not None and points:
        equal = rows == layout.declared
        found.append(
            Evidence(
                "points",
                1.0 if equal else 0.93,
                f"the preamble declares {layout.declared} points" + ("" if equal else f", {rows} are there"),
            )
        )
    if layout.warnings and any("stands outside" in each for each in layout.warnings):
        near = any(f"line {int(layout.lines[0]) - i} " in each for each in layout.warnings for i in (1, 2, 3))
        found.append(Evidence("outside", 0.7 if near else 0.93, "lines of the same shape stand outside the table"))
    steps = np.diff(x)
    span = float(np.ptp(x))
    direction = 1.0 if x[-1] >= x[0] else -1.0
    back = -float((steps * direction).min()) if steps.size else 0.0
    if back > _RESTART * span:
        found.append(Evidence("restart", 0.3, f"the axis goes back by {back / span:.0%} of its span"))
    if layout.hidden and not _gap_fits(layout, steps * direction):
        found.append(Evidence("gap", 0.5, "the axis in the tail does not go on as in the head"))
    if x.size < 0.85 * len(layout.lines):
        found.append(
            Evidence("blanks", 0.97, f"{len(layout.lines) - x.size} of {len(layout.lines)} axis cells are blank")
        )
    return found


def _gap_fits(layout: Layout, steps: Array) -> bool:
    """Whether the jump over left out lines is what so many steps would make."""
    if steps.size != len(layout.lines) - 1:
        return True
    at = int(_at_gap(layout)[0])
    usual = np.delete(steps, at)
    low, high = np.quantile(usual, (0.02, 0.98))
    return bool(0.3 * low * layout.hidden <= steps[at] <= 3 * high * layout.hidden)


def _signal_evidence(layout: Layout, roles: dict[int, SpectrumRole]) -> Evidence:
    samples = [i for i, role in roles.items() if role is SpectrumRole.SAMPLE]
    if not samples:
        return Evidence("signal", 0.5, "the header names no column that is a sample's")
    if len(samples) == 1:
        quantity = layout.meanings[samples[0]].quantity
        what = "its quantity is not stated" if quantity is Quantity.UNKNOWN else quantity.value
        return Evidence("signal", 1.0, f"one spectrum, {what}")
    if not layout.names:
        return Evidence("signal", 0.88, f"{len(samples)} columns beside the axis, and nothing says what they are")
    unknown = sum(layout.meanings[i].role is Role.UNKNOWN for i in samples)
    return Evidence("signal", 0.97 if unknown else 1.0, f"{len(samples)} spectra")


def _number_evidence(layout: Layout, lines: Lines) -> list[Evidence]:
    """Numbers that could be meant otherwise: a comma between digits that is no delimiter, or no decimal mark."""
    if layout.delimiter == "," and layout.values.shape[1] % 2 == 0:
        rows = [lines.line(lines.index(int(n))) for n in layout.lines[:20]]
        if all(_ONLY_DIGITS.fullmatch(row) for row in rows) and sum(bool(_LEADING_ZERO.search(r)) for r in rows) > 1:
            return [Evidence("decimals", 0.2, "cells such as 05 look like decimals after a comma")]
        if not layout.names and all(_ONLY_DIGITS.fullmatch(row) for row in rows):
            if _half_header(layout):
                return [Evidence("decimals", 0.3, "half as many names as columns, and no decimal point anywhere")]
            if layout.values.shape[1] >= 4:
                return [Evidence("decimals", 0.6, "an even number of columns, and no decimal point anywhere")]
    if layout.decimal == ",":
        cells = [
            cell.strip()
            for n in layout.lines[:20]
            for cell in lines.line(lines.index(int(n))).split(None if layout.delimiter == " " else layout.delimiter)
        ]
        marked = [cell for cell in cells if "," in cell]
        if (
            marked
            and all(_THREE_DIGITS.match(cell) for cell in marked)
            and not any(_BELOW_ONE.match(c) for c in marked)
        ):
            return [Evidence("decimals", 0.6, "three digits after each comma: decimals, or thousands")]
    return []


def _half_header(layout: Layout) -> bool:
    written = [line for line in layout.header.preamble if line.strip()]
    return bool(written) and written[-1].count(",") + 1 == layout.values.shape[1] // 2


def _title_line(layout: Layout, lines: Lines) -> int | None:
    """The line above the header in which every pair has its name and the cell beside it is blank."""
    top = layout.header.lines[0] if layout.header.lines else int(layout.lines[0])
    at = lines.index(top) - 1
    if at < 0 or layout.delimiter == " ":
        return None
    cells = [cell.strip() for cell in lines.line(at).split(layout.delimiter)]
    cells = cells[: layout.values.shape[1]] + [""] * (layout.values.shape[1] - len(cells))
    if all(cells[0::2]) and not any(cells[1::2]):
        return lines.number(at)
    return None


def _filled(column: NDArray[np.float64]) -> Array:
    return column[~np.isnan(column)]


def _overlap(one: Array, other: Array) -> float:
    """The share of two ranges that both have, of what either has."""
    one, other = _filled(one), _filled(other)
    both = min(one.max(), other.max()) - max(one.min(), other.min())
    either = max(one.max(), other.max()) - min(one.min(), other.min())
    return float(both / max(either, 1e-300))

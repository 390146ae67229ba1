"""Whether a plan can fit a layout at all: its places are in the file, each is used once, the axis has exactly one."""

from __future__ import annotations

from collections import Counter

from batchlab.spectra._kinds import Orientation, SpectrumRole
from batchlab.spectra._plan import Plan
from batchlab.spectra._read._observation import Observation

__all__ = ["problems_in", "problems_on"]


def problems_in(plan: Plan) -> list[str]:
    """What contradicts itself in a plan, whatever the file; empty where nothing does."""
    found = _axis_problems(plan)
    if not any(each.role is SpectrumRole.SAMPLE for each in plan.spectra):
        found.append("spectra: none has the role sample; name at least one")
    used = Counter(each.column for each in plan.spectra if each.column is not None)
    found += [f"spectra: column {column} is used {times} times" for column, times in used.items() if times > 1]
    if plan.axis.column in used:
        found.append(f"column {plan.axis.column} is the axis and a spectrum; it can be one of them")
    if plan.orientation is Orientation.ROWS:
        found += [
            f"spectra.{i}.rows: give a line number or all; spectra are rows here"
            for i, each in enumerate(plan.spectra)
            if each.rows is None
        ]
    elif plan.orientation is not Orientation.MATRIX:
        found += [f"spectra.{i}.column: is missing" for i, each in enumerate(plan.spectra) if each.column is None]
    if plan.orientation is Orientation.PAIRS:
        found += [
            f"spectra.{i}.axis_column: is missing; each spectrum of a table of pairs has its own"
            for i, each in enumerate(plan.spectra)
            if each.axis_column is None
        ]
    if plan.last_data_line is not None and plan.last_data_line < plan.first_data_line:
        found.append("last_data_line: lies before first_data_line")
    if plan.begin_fence is None:
        lines = (*plan.header_lines, *((plan.unit_line,) if plan.unit_line else ()))
        found += [
            f"line {line} names columns or units and lies in the data" for line in lines if line >= plan.first_data_line
        ]
    if plan.first_column is not None and plan.last_column is not None and plan.last_column <= plan.first_column:
        found.append("last_column: must lie after first_column")
    return found


def problems_on(plan: Plan, observation: Observation) -> list[str]:
    """What makes a plan impossible for this file; empty where nothing does."""
    found = problems_in(plan)
    columns = max((each.columns for each in observation.hypotheses), default=0) or None
    if columns is not None and plan.orientation is not Orientation.MATRIX:
        places = {
            "axis.column": plan.axis.column,
            "first_column": plan.first_column,
            "last_column": plan.last_column,
            **{f"spectra.{i}.column": each.column for i, each in enumerate(plan.spectra)},
            **{f"spectra.{i}.axis_column": each.axis_column for i, each in enumerate(plan.spectra)},
        }
        found += [
            f"{name}: there is no column {column}; the last is {columns - 1}"
            for name, column in places.items()
            if column is not None and column >= columns
        ]
    numbers = {
        "first_data_line": plan.first_data_line,
        "last_data_line": plan.last_data_line,
        "unit_line": plan.unit_line,
        "axis.header_row": plan.axis.header_row,
        **{f"header_lines.{i}": line for i, line in enumerate(plan.header_lines)},
        **{f"spectra.{i}.rows": each.rows for i, each in enumerate(plan.spectra) if isinstance(each.rows, int)},
    }
    found += [
        f"{name}: there is no such line; the file has {observation.lines}"
        for name, line in numbers.items()
        if line is not None and line > observation.lines
    ]
    lines = [*observation.preamble, *observation.header, observation.unit_line or "", *observation.trailer]
    for name, fence in (("begin_fence", plan.begin_fence), ("end_fence", plan.end_fence)):
        if fence is not None and not any(fence in line for line in lines):
            found.append(f"{name}: no line above or below the table holds this text; give it as written, or null")
    keys = (("first_key", plan.axis.first_key), ("last_key", plan.axis.last_key), ("count_key", plan.axis.count_key))
    found += [
        f"axis.{name}: the preamble has no such key"
        for name, key in keys
        if key is not None and key not in observation.keys
    ]
    return found


def _axis_problems(plan: Plan) -> list[str]:
    axis = plan.axis
    keys = (axis.first_key, axis.last_key, axis.count_key)
    places = [axis.column is not None, axis.header_row is not None, any(keys)]
    if sum(places) != 1:
        return ["axis: give exactly one of column, header_row, or first_key with last_key"]
    if places[2] and not (axis.first_key and axis.last_key):
        return ["axis: first_key and last_key are needed together"]
    if axis.header_row is not None and plan.orientation is Orientation.COLUMNS:
        return ["axis.header_row: belongs to the orientation rows"]
    return []

"""A comparison as a table: columns, units and provenance in one CSV that reads back to the last bit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._comparison import Comparison
from batchlab.spectra._measures import Difference
from batchlab.spectra._model import AxisKind, Quantity, read_only
from batchlab.spectra._normalization import Normalization

__all__ = ["format_comparison", "parse_comparison"]

_TITLE = "# batchlab spectra comparison, format 1"
_COLUMNS = "axis,reference,sample,"  # and what the last one is: difference, ratio
_KINDS = {_COLUMNS + kind.value.replace(" ", "_"): kind for kind in Difference}
_FIELDS = (
    "reference",
    "sample",
    "normalization",
    "axis_kind",
    "axis_unit",
    "quantity",
    "unit",
    "warnings",
    "metrics",
    "provenance",
)


def format_comparison(comparison: Comparison, provenance: Mapping[str, object] | None = None) -> str:
    r"""Write a comparison as CSV.

    The first lines begin with ``#``: a title, then ``# key: value`` with the value in JSON, so a name may
    hold anything. ``statements`` say what each number is. Then the column names and one row a point. Numbers are
    the shortest that read back to the same float. What one spectrum has beyond the common axis is not written.

    Parameters
    ----------
    comparison
        What to write.
    provenance
        How it was made: versions, digests, parameters; any JSON.

    Returns
    -------
    str
        The text, in ASCII, with ``\n`` line ends.
    """
    facts: dict[str, object] = {
        "reference": comparison.reference_name,
        "sample": comparison.sample_name,
        "normalization": comparison.normalization.value,
        "axis_kind": comparison.axis_kind.value,
        "axis_unit": comparison.axis_unit,
        "quantity": comparison.quantity.value,
        "unit": comparison.unit,
        "warnings": list(comparison.warnings),
        "metrics": {key: _null_for_nan(value) for key, value in comparison.metrics.items()},
        "statements": comparison.statements,
        **{name: value for name, value in _particulars(comparison).items() if value},
        "provenance": dict(provenance or {}),
    }
    columns_line = next(line for line, kind in _KINDS.items() if kind is comparison.difference_kind)
    head = [_TITLE, *(f"# {key}: {json.dumps(value)}" for key, value in facts.items()), columns_line]
    columns = (comparison.axis, comparison.reference, comparison.sample, comparison.difference)
    texts = [list(map(repr, column.tolist())) for column in columns]
    return "\n".join([*head, *map(",".join, zip(*texts, strict=True)), ""])


def parse_comparison(text: str, where: str = "the table") -> tuple[Comparison, dict[str, object]]:
    """Read back what `format_comparison` wrote.

    Parameters
    ----------
    text
        The table.
    where
        What to call it in messages: its file.

    Returns
    -------
    Comparison
        Equal to the one written, float for float.
    dict
        The provenance.

    Raises
    ------
    DataError
        Reason ``not-a-comparison``: it is not such a table, or not a whole one.
    """
    lines = text.splitlines()
    if not lines or lines[0] != _TITLE:
        raise _unreadable(f"{where}, line 1: expected {_TITLE!r}")
    head = next((number for number, line in enumerate(lines) if line in _KINDS), None)
    if head is None:
        raise _unreadable(f"{where}: no line {next(iter(_KINDS))!r}")
    facts: dict[str, Any] = {}
    for number, line in enumerate(lines[1:head], start=2):
        key, _, value = line.removeprefix("# ").partition(": ")
        try:
            facts[key] = json.loads(value)
        except ValueError as error:
            raise _unreadable(f"{where}, line {number}: {key!r} is no JSON: {error}") from error
    missing = [key for key in _FIELDS if key not in facts]
    if missing:
        raise _unreadable(f"{where}: no {', '.join(missing)} in its first lines")
    try:
        rows = [list(map(float, line.split(","))) for line in lines[head + 1 :]]
        values = np.array(rows, dtype=np.float64)
    except ValueError as error:
        raise _unreadable(f"{where}: a row is no four numbers: {error}") from error
    metrics, provenance, warnings = facts["metrics"], facts["provenance"], facts["warnings"]
    if not isinstance(metrics, dict) or not isinstance(provenance, dict) or not isinstance(warnings, list):
        raise _unreadable(f"{where}: metrics, provenance or warnings of another shape")
    points = facts.get("points", metrics.get("n_points"))
    if values.shape != (points, 4):
        raise _unreadable(f"{where}: {len(rows)} rows where {points} points are declared")
    axis, reference, sample, difference = (read_only(column) for column in values.T)
    try:
        return Comparison(
            axis=axis,
            reference=reference,
            sample=sample,
            difference=difference,
            axis_kind=AxisKind(str(facts["axis_kind"])),
            axis_unit=_text_or_none(facts["axis_unit"]),
            quantity=Quantity(str(facts["quantity"])),
            unit=_text_or_none(facts["unit"]),
            normalization=Normalization(str(facts["normalization"])),
            reference_name=str(facts["reference"]),
            sample_name=str(facts["sample"]),
            metrics={key: math.nan if value is None else value for key, value in metrics.items()},
            difference_kind=_KINDS[lines[head]],
            regions={str(name): _range(ends) for name, ends in dict(facts.get("regions", {})).items()},
            masks=tuple(map(_range, facts.get("masks", ()))),
            gaps=tuple(map(_range, facts.get("gaps", ()))),
            done=tuple(map(str, facts.get("done", ()))),
            treated=tuple(map(str, facts.get("treated", ()))),
            sample_metadata={str(key): str(said) for key, said in dict(facts.get("sample_metadata", {})).items()},
            warnings=tuple(map(str, warnings)),
            reference_warnings=tuple(map(str, facts.get("reference_warnings", ()))),
        ), provenance
    except (TypeError, ValueError) as error:
        raise _unreadable(f"{where}: {error}") from error


def _particulars(comparison: Comparison) -> dict[str, object]:
    """What most comparisons have none of."""
    shown = comparison.axis.size
    return {
        "points": shown if shown != comparison.metrics.get("n_points") else None,
        "regions": dict(comparison.regions),
        "masks": list(comparison.masks),
        "gaps": list(comparison.gaps),
        "done": list(comparison.done),
        "treated": list(comparison.treated),
        "sample_metadata": dict(comparison.sample_metadata),
        "reference_warnings": list(comparison.reference_warnings),
    }


def _range(ends: Any) -> tuple[float, float]:
    low, high = map(float, ends)
    return low, high


def _null_for_nan(value: float | int | str) -> float | int | str | None:
    return None if isinstance(value, float) and math.isnan(value) else value


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _unreadable(problem: str) -> DataError:
    return DataError(f"{problem}; write the comparison again", reason="not-a-comparison")

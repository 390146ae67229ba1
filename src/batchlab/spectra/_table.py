"""A comparison as a table: columns, units and provenance in one CSV that reads back to the last bit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

import numpy as np

from batchlab.errors import DataError
from batchlab.spectra._model import AxisKind, Quantity, read_only
from batchlab.spectra._normalization import Normalization
from batchlab.spectra._similarity import Comparison

__all__ = ["format_comparison", "parse_comparison"]

_TITLE = "# batchlab spectra comparison, format 1"
_COLUMNS = "axis,reference,sample,difference"
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
    hold anything. Then the column names and one row a point. Numbers are the shortest that read back to the
    same float.

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
        "provenance": dict(provenance or {}),
    }
    head = [_TITLE, *(f"# {key}: {json.dumps(value)}" for key, value in facts.items()), _COLUMNS]
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
    try:
        head = lines.index(_COLUMNS)
    except ValueError as error:
        raise _unreadable(f"{where}: no line {_COLUMNS!r}") from error
    facts: dict[str, object] = {}
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
    points = metrics.get("n_points")
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
            warnings=tuple(map(str, warnings)),
        ), provenance
    except ValueError as error:
        raise _unreadable(f"{where}: {error}") from error


def _null_for_nan(value: float | int | str) -> float | int | str | None:
    return None if isinstance(value, float) and math.isnan(value) else value


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)


def _unreadable(problem: str) -> DataError:
    return DataError(f"{problem}; write the comparison again", reason="not-a-comparison")

"""What was found out about a batch, as CSV: a row a spectrum, a row a point."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Mapping

from batchlab.errors import DataError
from batchlab.spectra._analytics._analysis import Analysis

__all__ = ["format_loadings", "format_precision", "format_rows"]


def format_rows(analysis: Analysis, provenance: Mapping[str, object] | None = None) -> str:
    r"""A row for each spectrum, in the order given.

    The first lines begin with ``#``: a title, then ``# key: value`` with the value in JSON. Then the column names,
    with units, and the rows. Numbers are the shortest that read back to the same float; what is not known is empty.

    Parameters
    ----------
    analysis
        What to write.
    provenance
        How it was made; any JSON.

    Returns
    -------
    str
        In UTF-8's letters, with ``\n`` line ends.
    """
    limits = analysis.limits
    facts = {
        "level": analysis.level,
        "components": int(analysis.loadings.shape[0]),
        "explained": analysis.explained.tolist(),
        "spectra_in_model": int(analysis.members.sum()),
        "limits": None
        if limits is None
        else {"t2": limits.t2, "q": limits.q, "t2_batch": limits.t2_batch, "q_batch": limits.q_batch},
        "clusters": analysis.n_clusters,
        "silhouette": analysis.silhouette,
        "warnings": list(analysis.warnings),
        "provenance": dict(provenance or {}),
    }
    columns = [
        "name", "group", "cluster", "verdict", "reason", "T2", "T2 of limit", _with("Q", analysis.unit, square=True),
        "Q of limit", "DModX", "correlation",
        *(_with(f"score {at + 1}", analysis.unit) for at in range(analysis.loadings.shape[0])),
    ]  # fmt: skip
    rows = (
        (
            row.name, row.group, row.cluster, row.verdict.value, row.reason, row.t2, row.t2_of_limit, row.q,
            row.q_of_limit, row.dmodx, row.correlation, *row.scores,
        )
        for row in analysis.rows
    )  # fmt: skip
    return _text("analytics", facts, columns, rows)


def format_loadings(analysis: Analysis, provenance: Mapping[str, object] | None = None) -> str:
    """A row for each point of the axis: the model's mean, and what each component is made of."""
    facts = {"explained": analysis.explained.tolist(), "provenance": dict(provenance or {})}
    columns = [
        _with("axis", analysis.axis_unit),
        _with("mean", analysis.unit),
        *(f"loading {at + 1}" for at in range(analysis.loadings.shape[0])),
    ]
    rows = zip(analysis.axis.tolist(), analysis.mean.tolist(), *analysis.loadings.tolist(), strict=True)
    return _text("loadings", facts, columns, rows)


def format_precision(analysis: Analysis, provenance: Mapping[str, object] | None = None) -> str:
    """A row for each point of the axis: how well replicates repeat.

    Raises
    ------
    DataError
        Reason ``no-replicates``: there were none.
    """
    found = analysis.precision
    if found is None:
        raise DataError(
            "no group has two spectra, so nothing was repeated; say what groups them", reason="no-replicates"
        )
    facts = {
        "degrees_of_freedom": found.dof,
        "typical_relative_percent": _known(found.typical_relative),
        "by_group": found.by_group,
        "provenance": dict(provenance or {}),
    }
    columns = [
        _with("axis", analysis.axis_unit),
        _with("mean", analysis.unit),
        _with("repeatability deviation", analysis.unit),
        "relative deviation / %",
        _with("repeatability limit", analysis.unit),
    ]
    series = (analysis.axis, found.mean, found.deviation, found.relative, found.repeatability_limit)
    return _text("precision", facts, columns, zip(*(each.tolist() for each in series), strict=True))


def _text(title: str, facts: Mapping[str, object], columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    buffer = io.StringIO()
    buffer.write(f"# batchlab spectra {title}, format 1\n")
    for key, value in facts.items():
        buffer.write(f"# {key}: {json.dumps(value)}\n")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return "" if math.isnan(value) else repr(value)
    return "" if value is None else value


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _with(name: str, unit: str | None, *, square: bool = False) -> str:
    if unit is None:
        return f"{name} (unit not stated)"
    if unit == "1":
        return name
    return f"{name} / ({unit})^2" if square else f"{name} / {unit}"

"""Histories as people and programs read them: the runs that are asked for, as table, JSON or CSV."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from batchlab.devices._durable import write_whole

if TYPE_CHECKING:
    import polars as pl

__all__ = ["FORMATS", "export_history", "select_runs", "show"]

FORMATS = ("table", "json", "csv", "latex")

# A table shows the days that runs are chosen by.
_LOCAL = {"date_local": "%Y-%m-%d", "time_local": "%H:%M:%S"}
_SHOWN = ("seq", *_LOCAL, "proc", "summary", "run_id")
_MEANT = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}"},
    **{">": r"\textgreater{}", "|": r"\textbar{}", "\n": " "},
}


def select_runs(
    history: pl.DataFrame,
    *,
    proc: str | Collection[str] | None = None,
    light: bool | None = None,
    vg_v: float | None = None,
    vds_v: float | None = None,
    wavelength_nm: float | None = None,
    date: str | None = None,
    flagged: bool | None = None,
) -> pl.DataFrame:
    """The runs of a history that are asked for, with their numbers.

    Parameters
    ----------
    proc
        One procedure or several.
    light
        True for lit runs, False for dark ones.
    vg_v
        The fixed gate voltage.
    vds_v, wavelength_nm
        Of the run.
    date
        A local day, as in ``2025-09-04``.
    flagged
        Whether the data are flagged as bad.
    """
    import polars as pl

    conditions: list[pl.Expr] = []
    if proc is not None:
        conditions.append(pl.col("proc").is_in([proc] if isinstance(proc, str) else sorted(proc)))
    if light is not None:
        conditions.append(pl.col("has_light") == light)
    for name, value in (("vg_fixed_v", vg_v), ("vds_v", vds_v), ("wavelength_nm", wavelength_nm)):
        if value is not None:
            # Set values carry the noise of decimal fractions.
            conditions.append((pl.col(name) - value).abs() < 1e-6)
    if date is not None:
        conditions.append(pl.col("date_local").cast(pl.String) == date)
    if flagged is not None:
        conditions.append(pl.col("quality_flags").is_not_null() == flagged)
    return history.filter(conditions) if conditions else history


def show(history: pl.DataFrame, form: str = "table", *, columns: Collection[str] | None = None) -> str:
    """A history as text.

    Parameters
    ----------
    history
        Or a selection of it.
    form
        ``table`` for people, in local time, and ``latex`` for their papers (packages longtable, booktabs); ``json`` or
        ``csv`` for programs, which have all columns unless told otherwise: there `date` and `time_hms` are UTC.
    columns
        Which to show.

    Raises
    ------
    ValueError
        If there is no such form or column.
    """
    import polars as pl

    if form not in FORMATS:
        raise ValueError(f"no form {form!r}; there are {', '.join(FORMATS)}")
    unknown = sorted(set(columns or ()) - set(history.columns))
    if unknown:
        raise ValueError(f"no column {unknown[0]!r}; there are {', '.join(history.columns)}")
    whole = {*_SHOWN, "datetime_local"} - set(_LOCAL) <= set(history.columns)
    if form in ("table", "latex") and not columns and whole:
        start = pl.col("datetime_local")
        chosen = history.select(
            pl.col(name) if name not in _LOCAL else start.dt.strftime(_LOCAL[name]).alias(name) for name in _SHOWN
        )
    else:
        chosen = history.select(*(columns or history.columns))
    plain = chosen.with_columns(
        pl.col(name).dt.to_string("iso:strict") for name, kind in chosen.schema.items() if kind.is_temporal()
    )
    if form == "csv":
        return str(plain.write_csv())
    if form == "json":
        # NaN has no place in JSON.
        rows = [{name: None if value != value else value for name, value in row.items()} for row in plain.to_dicts()]
        return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"
    cells = [plain.columns, *(["" if cell is None else str(cell) for cell in row] for row in plain.iter_rows())]
    if form == "latex":
        return _latex(cells, [kind.is_numeric() for kind in plain.schema.dtypes()])
    widths = [max(len(row[k]) for row in cells) for k in range(len(plain.columns))]
    right = [kind.is_numeric() for kind in plain.schema.dtypes()]
    lines = [
        "  ".join(c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * width for width in widths), *lines[1:]]) + "\n"


def _latex(cells: Sequence[Sequence[str]], right: Sequence[bool]) -> str:
    """A table over as many pages as it takes, its head on each."""
    head, *rows = (" & ".join(cell.translate(_SIGNS) for cell in row) + r" \\" for row in cells)
    return "\n".join(
        [
            r"% \usepackage{longtable,booktabs}",
            rf"\begin{{longtable}}{{{''.join('r' if each else 'l' for each in right)}}}",
            r"\toprule",
            head,
            r"\midrule",
            r"\endhead",
            r"\bottomrule",
            r"\endfoot",
            *rows,
            r"\end{longtable}",
            "",
        ]
    )


_SIGNS = str.maketrans(_MEANT)
_ENDINGS = {".csv": "csv", ".json": "json", ".txt": "table", ".tex": "latex", ".parquet": "parquet"}


def export_history(history: pl.DataFrame, path: str | os.PathLike[str]) -> None:
    """Write a history, or a selection, as the suffix says.

    ``.csv``, ``.json``, ``.parquet``, ``.txt`` (a table) or ``.tex`` (one of LaTeX).

    Raises
    ------
    ValueError
        If the suffix is another one.
    """
    path = Path(path)
    form = _ENDINGS.get(path.suffix.lower())
    if form is None:
        raise ValueError(
            f"{path}: write .csv, .json, .parquet, .txt or .tex, not {path.suffix or 'a name without suffix'}"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == "parquet":
        write_whole(path, lambda beside: history.write_parquet(beside, compression="zstd", compression_level=1))
    else:
        write_whole(path, show(history, form).encode())

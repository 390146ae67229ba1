"""Panels: what a domain adds to the report, as plain tables, picture names and text."""

from __future__ import annotations

import importlib.metadata
import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from batchlab.engine import BatchView, Scalar

log = logging.getLogger(__name__)

PANEL_GROUP = "batchlab.panels"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows under column names; a unit for each column, or none at all.

    Raises
    ------
    ValueError
        If a row or the units have another length than the columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    units: tuple[str | None, ...] = ()
    title: str | None = None

    def __post_init__(self) -> None:
        width = len(self.columns)
        if self.units and len(self.units) != width:
            raise ValueError(f"table of {width} columns has {len(self.units)} units; give one each, or none")
        for number, row in enumerate(self.rows, start=1):
            if len(row) != width:
                raise ValueError(f"table row {number} has {len(row)} cells for {width} columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """Thumbnails of jobs side by side: what belongs together in a row, what compares in a column.

    Attributes
    ----------
    columns
        What each column shows.
    rows
        The label of each row, and the names of its jobs; None leaves a place empty. A job without a thumbnail shows
        its state.
    title
        Above it.

    Raises
    ------
    ValueError
        If a row has another length than the columns.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str | None, ...]], ...]
    title: str | None = None

    def __post_init__(self) -> None:
        for label, jobs in self.rows:
            if len(jobs) != len(self.columns):
                raise ValueError(f"grid row {label!r} has {len(jobs)} jobs for {len(self.columns)} columns")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """A drawing that stands in the report as it is, such as a curve over what was swept.

    Attributes
    ----------
    svg
        One SVG element. ``currentColor`` follows the report's own colours, ``href="#job-3"`` leads to the fourth job of
        the view; the report runs no script and no style of it.
    title
        Above it.
    note
        Below it.
    drawn
        The numbers it shows; they are not printed, but stand in ``batch_statistics.json``.

    Raises
    ------
    ValueError
        If it is not one whole SVG element.
    """

    svg: str
    title: str = ""
    note: str = ""
    drawn: Table | None = None

    def __post_init__(self) -> None:
        from xml.etree import ElementTree as ET

        try:
            tag = ET.fromstring(self.svg).tag
        except ET.ParseError as error:
            raise ValueError(f"drawing {self.title!r} is not well-formed: {error}") from error
        if tag != "{http://www.w3.org/2000/svg}svg":
            raise ValueError(f"drawing {self.title!r} is a {tag!r}; give one svg element with its namespace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One section of the report; how it looks is the report's.

    Attributes
    ----------
    title
        Of the section.
    tables
        Its tables, in order.
    drawings
        Above the tables.
    grids
        Thumbnails of its jobs, below the tables.
    pictures
        Paths relative to the output root.
    text
        Above the tables.
    headline
        What the domain says of the whole batch in a sentence, such as ``3 of 10 samples do not conform: a, b, c``. It
        stands under the report's own title, and in the terminal at the end of a run.
    """

    title: str
    tables: tuple[Table, ...] = ()
    drawings: tuple[Drawing, ...] = ()
    grids: tuple[Grid, ...] = ()
    pictures: tuple[str, ...] = ()
    text: str = ""
    headline: str = ""


def panel_data(panels: Iterable[Panel]) -> list[dict[str, Any]]:
    """What panels say and show in numbers, as plain data for JSON."""
    return [
        {
            "title": panel.title,
            "headline": panel.headline,
            "text": panel.text,
            "tables": [_table_data(table) for table in panel.tables],
            "drawings": [
                {
                    "title": each.title,
                    "note": each.note,
                    "drawn": None if each.drawn is None else _table_data(each.drawn),
                }
                for each in panel.drawings
            ],
        }
        for panel in panels
    ]


def _table_data(table: Table) -> dict[str, Any]:
    rows = [[None if isinstance(cell, float) and not math.isfinite(cell) else cell for cell in row]
            for row in table.rows]  # fmt: skip
    return {"title": table.title, "columns": list(table.columns), "units": list(table.units), "rows": rows}


def find_panels(view: BatchView) -> tuple[Panel, ...]:
    """Ask every installed domain that occurs in the batch for its panel.

    A panel source is a function ``BatchView -> Panel | None`` under the entry point group ``batchlab.panels``,
    its entry named for the domain (``spectra``), the first word of its tasks' names. A source that raises
    gives a panel that says so, and harms nothing else.

    Parameters
    ----------
    view
        The batch as recorded.

    Returns
    -------
    tuple of Panel
        Sorted by entry name.
    """
    domains = {job.task.partition(".")[0] for job in view.jobs if ":" not in job.task}
    entries = sorted(importlib.metadata.entry_points(group=PANEL_GROUP), key=lambda e: (e.name, e.value))
    return tuple(_panels(view, (e for e in entries if e.name.partition(".")[0] in domains)))


def _panels(view: BatchView, entries: Iterable[importlib.metadata.EntryPoint]) -> Iterable[Panel]:
    for entry in entries:
        try:
            panel = entry.load()(view)
            if panel is not None and not isinstance(panel, Panel):
                raise TypeError(f"{entry.value} returned a {type(panel).__name__}; return a Panel or None")
        except Exception as error:  # noqa: BLE001 - a domain's panel may raise anything; the report must come
            log.warning("panel %s failed: %s", entry.name, error, extra={"event": "panel_failed"})
            yield Panel(title=entry.name, text=f"panel failed: {type(error).__name__}: {error}")
        else:
            if panel is not None:
                yield panel

"""Write the three reports of a batch, each whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from batchlab.engine import BatchView
from batchlab.errors import StartError
from batchlab.reports._panel import Panel, panel_data
from batchlab.reports._statistics import statistics
from batchlab.reports._summary import summary_csv


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    """Where the reports lie."""

    summary: Path  # batch_summary.csv
    statistics: Path  # batch_statistics.json
    html: Path  # batch_report.html


def write_reports(view: BatchView, folder: Path | None = None, *, panels: Iterable[Panel] = ()) -> Reports:
    """Write ``batch_summary.csv``, ``batch_statistics.json`` and ``batch_report.html``.

    ``batch_summary.csv`` is safe to open in a spreadsheet: texts that look like formulas get a ``'`` before
    them, numbers are exact. ``batch_statistics.json`` and the data in the HTML file are raw. The same view, panels and
    files beside it give the same bytes.

    Parameters
    ----------
    view
        The batch as recorded: finished, running, crashed, empty.
    folder
        Where to write; None means the batch's own output root. Made if it is not there.
    panels
        What domains add, as `find_panels` gives them.

    Returns
    -------
    Reports
        The three paths.

    Raises
    ------
    StartError
        If the folder cannot be made or written.
    """
    from batchlab.reports._html import report_html

    target = Path(view.root) if folder is None else folder
    panels = tuple(panels)
    reports = Reports(
        summary=target / "batch_summary.csv",
        statistics=target / "batch_statistics.json",
        html=target / "batch_report.html",
    )
    texts = {
        reports.summary: summary_csv(view),
        reports.statistics: json.dumps(
            {**statistics(view), "panels": panel_data(panels)}, indent=2, ensure_ascii=False, allow_nan=False
        )
        + "\n",
        reports.html: report_html(view, target, panels),
    }
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path, text in texts.items():
            _write_whole(path, text)
    except OSError as error:
        raise StartError(
            f"{target}: cannot write the reports ({error.strerror or error}); name another folder for them"
        ) from error
    return reports


def _write_whole(path: Path, text: str) -> None:
    """Write under a temporary name, then rename; a name that is no valid text is written escaped."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise

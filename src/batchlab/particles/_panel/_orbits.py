"""Thumbnails by orbit: a row for each, a column for each kind of picture."""

from __future__ import annotations

from batchlab.engine import BatchView, JobView
from batchlab.particles._panel._jobs import PLOT, by_place, file_of, jobs_of, rank
from batchlab.reports import Grid, Panel

__all__ = ["orbits_panel"]

_MOST_ROWS = 100

# Place of its kind, instrument with its place, kind, scales, whether limits are its own.
_Column = tuple[int, tuple[int, str], str, str, bool]
_KINDS = ("pitch-angle", "pitch-spectrogram", "energy-cuts", "instruments")


def orbits_panel(view: BatchView) -> Panel | None:
    """A row of thumbnails for each orbit; None where no picture was asked for."""
    jobs = jobs_of(view, PLOT)
    if not jobs:
        return None
    orbits = by_place(jobs)
    columns = sorted({_column(job) for job in jobs})
    rows = []
    for place, members in list(orbits.items())[:_MOST_ROWS]:
        found: dict[_Column, str] = {}
        for job in members:
            found.setdefault(_column(job), job.name)
        rows.append((place, tuple(found.get(column) for column in columns)))
    text = "A row for each orbit; a click shows a picture whole, the arrow keys lead to the next."
    if len(orbits) > _MOST_ROWS:
        text += f" These are the first {_MOST_ROWS} of {len(orbits)}; all are under Pictures."
    return Panel(
        title="Particles: orbits",
        text=text,
        grids=(Grid(columns=tuple(_words(column) for column in columns), rows=tuple(rows)),),
    )


def _column(job: JobView) -> _Column:
    """Where a picture stands: instruments in their order, grids of all last; then by scales and limits."""
    file = file_of(job)
    kind = str(job.params.get("kind", _KINDS[0]))
    instrument = "" if kind == "instruments" or file is None or file.orbit is None else file.instrument
    scales = "-".join(str(job.params.get(axis, "log")) for axis in ("y_scale", "z_scale"))
    if kind not in ("pitch-angle", "instruments"):
        scales = ""
    own = not {"limits", "limit_files"} & set(job.inputs)
    return _KINDS.index(kind) if kind in _KINDS else len(_KINDS), rank(instrument), kind, scales, own


def _words(column: _Column) -> str:
    _, (_, instrument), kind, scales, own = column
    parts = [instrument, "" if kind == "pitch-angle" else kind, "" if scales == "log-log" else scales]
    if kind in ("pitch-angle", "instruments"):
        parts.append("own limits" if own else "shared")
    return ", ".join(part for part in parts if part) or kind

"""One HTML file that tells the whole batch, from disk and without a network."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any

from batchlab.engine import BatchView, JobView, Status
from batchlab.reports import _story as story
from batchlab.reports import _timings
from batchlab.reports import _words as words
from batchlab.reports._data import job_data, script_safe
from batchlab.reports._failures import failures
from batchlab.reports._files import encode_path, inside, link_prefix, picture_uri
from batchlab.reports._left import left_over
from batchlab.reports._panel import Grid, Panel
from batchlab.reports._shortened import shortened
from batchlab.reports._statistics import as_number, as_of, peak_memory

_PICTURES = 500  # thumbnails embedded, beside those of failures
_THUMBNAIL_BYTES = 200_000
_PANEL_PICTURE_BYTES = 600_000


def report_html(view: BatchView, folder: Path, panels: tuple[Panel, ...] = ()) -> str:
    """The report's text, as it would lie in `folder`.

    Parameters
    ----------
    view
        The batch as recorded; thumbnails and logs are read from its root where they are still there.
    folder
        Where the file will lie: links to pictures and logs are relative to it.
    panels
        What domains add, after the failures.
    """
    from jinja2 import DictLoader, Environment, StrictUndefined

    source = {name: _resource(name) for name in ("report.html", "report.css", "report.js")}
    environment = Environment(
        loader=DictLoader(source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        shortened=shortened,
        number=words.number,
        duration=words.duration,
        name=words.visible,
        moment=words.moment,
        grouped=words.grouped,
    )
    root = Path(view.root)
    prefix = link_prefix(root, folder)
    places = {job.name: (index, job) for index, job in enumerate(view.jobs)}
    return environment.get_template("report.html").render(
        css=source["report.css"],
        js=source["report.js"],
        policy=_policy(source["report.css"], source["report.js"]),
        data=job_data(view, prefix),
        thumbnails=script_safe(json.dumps(_thumbnails(view, root), separators=(",", ":"))),
        signs=story.SIGNS,
        **_facts(view, root, prefix),
        headlines=[panel.headline for panel in panels if panel.headline],
        panels=[_panel(panel, places, root, prefix) for panel in panels],
    )


def _facts(view: BatchView, root: Path, prefix: str) -> dict[str, Any]:
    """Everything the template shows that stands in the file as HTML."""
    last = view.runs[-1] if view.runs else None
    first = view.runs[0] if view.runs else None
    return {
        "batch": view.batch,
        "root": view.root,
        "state_word": str(view.state),
        "total": len(view.jobs),
        "verdict": story.verdict(view),
        "strip": story.strip(view),
        "started": first.started_at if first else None,
        "ended": last.ended_at if last else None,
        "as_of": as_of(view),
        "wall_s": sum(known) if (known := [r.elapsed_s for r in view.runs if r.elapsed_s is not None]) else None,
        "workers": last.workers if last else None,
        "groups": story.failure_stories(view, root, prefix),
        "groups_unshown": max(0, len(failures(view)) - story.GROUPS),
        "unfinished": story.unfinished(view),
        "running": [(i, job) for i, job in enumerate(view.jobs) if job.state is Status.RUNNING],
        "left": left_over(view),
        "warnings": story.warnings(view),
        "measured": story.measured(view),
        "timings": _timings.timings(view),
        "slowest": _timings.slowest_bars(view),
        "memory": peak_memory(view),
        "stages": _timings.stage_bars(view),
        "runs": _timings.run_rows(view),
        "changes": story.environment_changes(view),
        "environment": dict(last.environment) if last else {},
        "settings": words.flat(last.settings) if last else [],
        "sources": story.sources(view),
        "params": story.param_tables(view),
        "thumbnail_count": sum(job.thumbnail is not None for job in view.jobs),
    }


def _resource(name: str) -> str:
    return resources.files("batchlab.reports").joinpath(name).read_text(encoding="utf-8")


def _policy(css: str, js: str) -> str:
    """Content-Security-Policy: nothing but this script, this style, embedded pictures and those beside the file."""
    return (
        f"default-src 'none'; script-src '{_sha256(js)}'; style-src '{_sha256(css)}'; "
        "img-src data: file: 'self'; base-uri 'none'; form-action 'none'"
    )


def _sha256(text: str) -> str:
    return f"sha256-{b64encode(hashlib.sha256(text.encode('utf-8')).digest()).decode('ascii')}"


def _thumbnails(view: BatchView, root: Path) -> Mapping[str, str | None]:
    """Data URIs by job index: the first `_PICTURES`, and every failed job's; None where the file is missing."""
    found: dict[str, str | None] = {}
    taken = 0
    for i, job in enumerate(view.jobs):
        if job.thumbnail is None or (taken >= _PICTURES and job.state is not Status.FAILED):
            continue
        taken += 1
        found[str(i)] = picture_uri(root, job.thumbnail, _THUMBNAIL_BYTES)
    return found


def _panel(panel: Panel, places: Mapping[str, tuple[int, JobView]], root: Path, prefix: str) -> dict[str, Any]:
    return {
        "title": panel.title,
        "text": panel.text,
        "drawings": panel.drawings,
        "tables": panel.tables,
        "grids": [_grid(grid, places) for grid in panel.grids],
        "numeric": [
            [bool(cells) and all(as_number(c) is not None for c in cells if c is not None) for cells in columns]
            for columns in ([[row[k] for row in t.rows] for k in range(len(t.columns))] for t in panel.tables)
        ],
        "pictures": [
            {
                "path": path,
                "href": prefix + encode_path(path),
                "uri": picture_uri(root, path, _PANEL_PICTURE_BYTES),
                "there": inside(root, path) is not None,
                "pdf": path.lower().endswith(".pdf"),
            }
            for path in panel.pictures
        ],
    }


def _grid(grid: Grid, places: Mapping[str, tuple[int, JobView]]) -> dict[str, Any]:
    def cell(name: str | None) -> dict[str, Any] | None:
        if name is None or name not in places:
            return None
        index, job = places[name]
        return {"index": index, "name": name, "state": str(job.state), "why": job.reason or job.category or ""}

    rows = [(label, [cell(name) for name in jobs]) for label, jobs in grid.rows]
    return {"title": grid.title, "columns": grid.columns, "rows": rows}

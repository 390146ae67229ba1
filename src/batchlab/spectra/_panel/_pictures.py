"""The pictures of a whole batch."""

from __future__ import annotations

from batchlab.engine import BatchView, JobView
from batchlab.reports import Panel
from batchlab.spectra._panel._jobs import OVERVIEW, done, jobs_of, output_of

__all__ = ["overview_panel"]

_ORDER = ("heat_map", "stack", "overlay", "waterfall", "multiples", "page")


def overview_panel(view: BatchView) -> Panel | None:
    """The pictures of all spectra, and the page to look around in; None where none was asked for."""
    jobs = done(jobs_of(view, OVERVIEW))
    if not jobs:
        return None
    texts = [(f"{job.name}: " if len(jobs) > 1 else "") + _text(job) for job in jobs]
    return Panel(
        title="Spectra: all at once",
        text="\n".join(texts),
        pictures=tuple(output.path for job in jobs for name in _ORDER for output in job.outputs if output.name == name),
    )


def _text(job: JobView) -> str:
    number = job.metrics.get("n")
    text = "One spectrum" if number == 1 else f"{number} spectra"
    fewer = [
        f"{count} in the {name.replace('_', ' ')}"
        for name in _ORDER
        if (count := job.metrics.get(f"drawn_{name}")) not in (None, number)
    ]
    if fewer:
        text += f", of which some are shown, evenly chosen: {', '.join(fewer)}"
    if output_of(job, "page") is not None:
        text += "; the page is to look around in, and to compare any two"
    return f"{text}."

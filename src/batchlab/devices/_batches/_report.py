"""The job that writes the pages of chips."""

from __future__ import annotations

from batchlab.devices._batches._words import DERIVE
from batchlab.devices._layout import PAGES, Layout
from batchlab.devices._manifest import MANIFEST
from batchlab.engine import Batch, Conflict, From, Input, Job, Settings

__all__ = ["pages_batch", "report_job"]


def report_job(layout: Layout, *, merged: bool) -> Job:
    """The job that writes a page for each chip and one over all.

    Parameters
    ----------
    layout
        Where all lies.
    merged
        Whether a job ``merge`` of the same batch makes the table of metrics; else that is taken which is there.
    """
    inputs: dict[str, Input] = {"manifest": str(layout.store / MANIFEST)}
    if merged:
        inputs["metrics"] = From(jobs=("merge",), output="metrics")
    elif layout.metrics.is_file():
        inputs["metrics"] = str(layout.metrics)
    return Job(name="report", task="devices.report", inputs=inputs, outputs={"pages": f"{PAGES}/"})


def pages_batch(layout: Layout) -> Batch:
    """A batch that writes the pages alone, of what is staged and derived by now."""
    return Batch(
        name=DERIVE,
        output=layout.derived,
        jobs=(report_job(layout, merged=False),),
        settings=Settings(workers=1, conflict=Conflict.OVERWRITE, shared_output=True),
    )

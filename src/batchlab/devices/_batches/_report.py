"""The job that writes the pages of chips."""

from __future__ import annotations

from batchlab.devices._layout import PAGES, Layout
from batchlab.devices._manifest import MANIFEST
from batchlab.engine import From, Input, Job

__all__ = ["report_job"]


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

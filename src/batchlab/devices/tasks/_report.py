"""The job that writes the pages of chips."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from batchlab.devices.tasks._full_path import FullPath
from batchlab.devices.tasks._opened import opened
from batchlab.engine import JobContext, Scalar, task

__all__ = ["ReportParams", "report"]


class ReportParams(BaseModel):
    """What the pages tell of."""

    model_config = ConfigDict(extra="forbid")

    store: FullPath | None = Field(
        None, description="the folder of the staged store, unless an earlier job hands it over"
    )


@task(
    name="devices.report",
    version="2",
    params=ReportParams,
    inputs=("manifest",),
    optional_inputs=("metrics",),
    outputs={"pages": "reports/"},
    libraries=("polars", "jinja2"),
)
def report(ctx: JobContext, params: ReportParams) -> Mapping[str, Scalar]:
    """Write a page for each chip and ``index.html`` over all chips; each chip is an item.

    Takes the manifest of a store (``manifest: {from: stage, output: manifest}``) and the table of metrics, if there is
    one (``metrics: {from: merge, output: metrics}``).
    """
    import polars as pl

    from batchlab.devices._panel import write_pages

    store = opened(ctx, params.store)
    metrics = pl.read_parquet(ctx.input("metrics"), glob=False) if ctx.given("metrics") else None
    pages = write_pages(store, metrics, ctx.output_dir("pages"), item=ctx.item)
    return {"pages": len(pages), "runs": len(store)}

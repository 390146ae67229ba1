"""The job that draws the datasets of one item."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from batchlab.engine import JobContext, Scalar, task
from batchlab.particles._model import Scale

__all__ = ["SetParams", "spectrogram_set"]

_Pixels = Annotated[int, Field(ge=200, le=20000)]


class SetParams(BaseModel):
    """How spectrograms are drawn."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = ""
    y_scale: Scale = Scale.LINEAR
    z_scale: Scale = Scale.LOG
    colormap: str = Field("viridis", description="a name of matplotlib's")
    zoom_s: tuple[FiniteFloat, FiniteFloat] | None = Field(None, description="middle and width of a second column")
    lines_s: tuple[FiniteFloat, ...] = Field((), description="times that are marked, in seconds since 1970")
    size_px: tuple[_Pixels, _Pixels] | None = Field(None, description="width and height")


@task(
    name="compat.spectrogram_set",
    version="1",
    params=SetParams,
    inputs=("datasets",),
    outputs={"figure": "{job}.png"},
    formats={"figure": (".png", ".pdf", ".svg", ".jpg", ".webp")},
    libraries=("numpy", "matplotlib"),
    preload=("batchlab.compat.particles._datasets",),
)
def spectrogram_set(ctx: JobContext, params: SetParams) -> Mapping[str, Scalar]:
    """Draw several spectrograms over one time."""
    from batchlab.compat.particles._datasets import panels_drawn, read_panels

    ctx.stage("load")
    panels = read_panels(ctx.input("datasets"))
    ctx.stage("draw")
    drawn = panels_drawn(
        panels,
        scales=(params.y_scale, params.z_scale),
        title=params.title,
        colormap=params.colormap,
        zoom=params.zoom_s,
        lines=params.lines_s,
        size_px=params.size_px,
    )
    drawn.save(ctx.output("figure"), ctx.provenance)
    thumbnail = ctx.thumbnail()
    if thumbnail is not None:
        thumbnail.write_bytes(drawn.thumbnail())
    return {"rows": len(panels)}

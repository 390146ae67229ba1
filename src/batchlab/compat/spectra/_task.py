"""The job that reads one file, whoever wrote it, and hands it on as a normalised spectrum."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict

from batchlab.engine import JobContext, Scalar, task

__all__ = ["NormalizeParams", "normalize"]


class NormalizeParams(BaseModel):
    """Nothing is asked: the file tells, or the AI that the user has set up does."""

    model_config = ConfigDict(extra="forbid")


@task(
    name="compat.normalize",
    version="1",
    params=NormalizeParams,
    inputs=("file",),
    outputs={"spectrum": "{file}.csv", "kept": "{file}_normalized.csv"},
    libraries=("numpy",),
    preload=("batchlab.spectra._read", "batchlab.spectra._write"),
)
def normalize(ctx: JobContext, params: NormalizeParams) -> Mapping[str, Scalar]:
    """Read one spectrum and write it down with all that is known of it: to be compared, and to be kept."""
    from batchlab.compat.spectra._recognized import normalized
    from batchlab.spectra._write import write_spectrum

    ctx.stage("read")
    found = normalized(ctx.input("file"))
    for text in (*found.warnings, *found.spectrum.warnings):
        ctx.warn(text)
    ctx.stage("write")
    for output in ("spectrum", "kept"):
        if ctx.wanted(output):
            write_spectrum(ctx.output(output), found.spectrum, provenance=ctx.provenance)
    return {
        "confidence": found.confidence,
        "layout": found.layout,
        "source": found.source,
        "n_points": len(found.spectrum),
    }

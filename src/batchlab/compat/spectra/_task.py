"""The jobs ahead of a comparison: files read and normalised, and one scale settled for all pictures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pydantic import BaseModel, ConfigDict

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import BatchlabError

__all__ = ["LimitsParams", "NormalizeParams", "limits", "normalize"]

_LIBRARIES = ("numpy", "scipy")


class NormalizeParams(BaseModel):
    """Nothing is asked: the file tells, or the AI that the user has set up does."""

    model_config = ConfigDict(extra="forbid")


@task(
    name="compat.normalize",
    version="1",
    params=NormalizeParams,
    inputs=("file",),
    outputs={"spectrum": "{file}.csv", "kept": "{file}_normalized.csv"},
    libraries=_LIBRARIES,
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


class LimitsParams(BaseModel):
    """Nothing is asked: the spectra tell."""

    model_config = ConfigDict(extra="forbid")


@task(
    name="compat.limits",
    version="1",
    params=LimitsParams,
    inputs=("baseline", "samples"),
    outputs={"limits": "{job}.json"},
    libraries=_LIBRARIES,
    preload=("batchlab.spectra._read", "batchlab.spectra._similarity", "batchlab.spectra._write"),
)
def limits(ctx: JobContext, params: LimitsParams) -> Mapping[str, Scalar]:
    """Settle the scale of all pictures from the normalised spectra, so that they can be laid side by side.

    A sample that cannot be compared is left out: its own comparison fails, and tells why.
    """
    from batchlab.spectra._kinds import Normalization
    from batchlab.spectra._limits import plot_limits, reach, span
    from batchlab.spectra._read import write_limits
    from batchlab.spectra._similarity import compare
    from batchlab.spectra._write import read_written

    (baseline,) = read_written(ctx.input("baseline"))
    reaches, ends = [], [span(baseline)]
    for member in ctx.gathered("samples"):
        if ctx.cancelled:
            break
        try:
            (sample,) = read_written(member.outputs["spectrum"])
            comparison = compare(baseline, sample)
        except BatchlabError as error:
            ctx.log.info("left out: %s", error)
            continue
        reaches.append(reach(comparison))
        shown = comparison.axis
        ends.append((float(shown.min()), float(shown.max())))
    settled = plot_limits(baseline, reaches or [reach(compare(baseline, baseline))])
    settled = replace(settled, axis=(min(low for low, _ in ends), max(high for _, high in ends)))
    if ctx.wanted("limits"):
        write_limits(ctx.output("limits"), settled, Normalization.NONE)
    return {"n_samples": len(reaches)}

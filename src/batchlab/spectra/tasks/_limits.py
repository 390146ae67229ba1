"""The job that settles the limits of all pictures of a batch, before the first is drawn."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from pydantic import Field

from batchlab.engine import JobContext, Scalar, task
from batchlab.errors import BatchlabError
from batchlab.spectra._words import listed
from batchlab.spectra.tasks._against import Against, Judging, span_of
from batchlab.spectra.tasks._params import LIBRARIES
from batchlab.spectra.tasks._pinned import pinned
from batchlab.spectra.tasks._reading import kept, read, read_samples

__all__ = ["LimitsParams", "limits"]

_MOST_NAMED = 5
_MOST_TOLD = 20  # warnings of references, which may differ with the points that a sample leaves of them


class LimitsParams(Judging):
    """How the files are read, and how their signals are made comparable."""

    each_spectrum: bool = Field(False, description="settle them from every sample in a file, and not from its only one")


@task(
    name="spectra.limits",
    version="4",
    params=LimitsParams,
    inputs=("reference", "samples"),
    outputs={"limits": "{job}.json"},
    libraries=LIBRARIES,
    preload=("batchlab.spectra._read", "batchlab.spectra._similarity"),
    surroundings=pinned,
)
def limits(ctx: JobContext, params: LimitsParams) -> Mapping[str, Scalar]:
    """Settle the limits of all pictures of a batch from its samples.

    Each sample is an item, so that one that kills its process is left out of a second try. One that merely cannot be
    compared is left out with a warning and is no failed item: its own comparison fails, and tells why. Without
    limits nothing could be drawn at all, so this job fails only where the reference does.
    """
    from batchlab.spectra._limits import plot_limits, reach
    from batchlab.spectra._read import write_limits
    from batchlab.spectra._similarity import compare

    ctx.stage("load")
    # Limits are those of curves: no number of a comparison is needed for them.
    curves = params.model_copy(update={"metrics": ()})
    against = Against(ctx, curves, partial(kept, ctx, params=params))
    against.tell()
    ctx.stage("compare")
    # The reference reaches where it reaches, whatever the samples do; it also is all there is if none can be read.
    itself = compare(against.first, against.first, memory=ctx.cache, **curves.judging)
    reaches, ends = [reach(itself)], [against.span]
    left_out = []
    odd = dict.fromkeys(itself.reference_warnings)
    files = ctx.inputs("samples")
    times = Counter(file.name for file in files)
    for file in files:
        if ctx.cancelled:
            break
        with ctx.item(file.name if times[file.name] == 1 else str(file)):
            try:
                samples = read_samples(ctx, file, params) if params.each_spectrum else (read(ctx, file, params),)
            except BatchlabError as error:
                ctx.log.info("left out: %s", error)
                left_out.append(f"{file.name} ({error.reason or error.category})")
                continue
            for sample in samples:
                try:
                    comparison = against.compare(sample, file).comparison
                except BatchlabError as error:
                    ctx.log.info("left out: %s", error)
                    which = file.name if len(samples) == 1 else f"{file.name}: {sample.name}"
                    left_out.append(f"{which} ({error.reason or error.category})")
                else:
                    odd.update(dict.fromkeys(comparison.reference_warnings))
                    reaches.append(reach(comparison))
                    ends.append(span_of(comparison))
    for text in list(odd)[:_MOST_TOLD]:
        ctx.warn(text)
    if len(odd) > _MOST_TOLD:
        ctx.warn(f"{len(odd) - _MOST_TOLD} more warnings of the references, with one sample or another")
    if left_out:
        ctx.warn(f"left out of the limits: {listed(left_out, _MOST_NAMED)}")
    # Its own difference is zero everywhere, which would make a batch of differences look half as far spread.
    settled = plot_limits(against.first, reaches[1:] or reaches)
    settled = replace(settled, axis=(min(low for low, _ in ends), max(high for _, high in ends)))
    if ctx.wanted("limits"):
        ctx.stage("table")
        write_limits(ctx.output("limits"), settled, params.normalization)
    return {
        "n_samples": len(reaches) - 1,
        "left_out": len(left_out),
        "overlay_low": settled.overlay[0],
        "overlay_high": settled.overlay[1],
        "difference_low": settled.difference[0],
        "difference_high": settled.difference[1],
    }

"""The job that decodes a file, once for all its pictures and limits."""

from __future__ import annotations

from collections.abc import Mapping

from batchlab.engine import JobContext, Scalar, task
from batchlab.particles.tasks._reading import LIBRARIES, ReadingParams, digests, kept_spectrogram

__all__ = ["collapse"]


@task(
    name="particles.collapse",
    version="1",
    params=ReadingParams,
    inputs=("file",),
    optional_inputs=("orbit",),
    outputs={"sketch": "_limits/{job}.npz", "data": None},
    formats={"data": (".nc", ".csv")},
    libraries=LIBRARIES,
    preload=("batchlab.particles._read",),
)
def collapse(ctx: JobContext, params: ReadingParams) -> Mapping[str, Scalar]:
    """Read a file's intensities by time, energy and category, and sketch how they are spread."""
    from batchlab.particles._sketch import sketch_of

    file = ctx.input("file")
    ctx.stage("load")
    spectrogram = kept_spectrogram(ctx, params, file, digests(ctx, "file")[0])
    for note in spectrogram.notes:
        ctx.warn(note)
    ctx.stage("sketch")
    sketch = sketch_of(spectrogram)
    if ctx.wanted("sketch"):
        ctx.output("sketch").write_bytes(sketch.to_bytes())
    if ctx.wanted("data"):
        from batchlab.particles._export import export

        ctx.stage("export")
        export(spectrogram, ctx.output("data"), ctx.provenance)
    dropped = spectrogram.dropped
    times = spectrogram.times_s
    return {
        "records": dropped.records,
        "shown": len(times),
        "modes": len(set(spectrogram.mode.tolist())),
        "invalid_records": dropped.invalid,
        "low_quality_records": dropped.low_quality,
        "out_of_order_records": dropped.out_of_order,
        "fill_fraction": dropped.fill / dropped.cells if dropped.cells else 0.0,
        "out_of_range_fraction": dropped.out_of_range / dropped.cells if dropped.cells else 0.0,
        "positive_values": sum(spread.samples for spread in sketch.spreads.values()),
        "start_s": float(times[0, 0]),
        "end_s": float(times[:, 1].max()),
    }
